package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// earlierOutputs returns the outputs that a sandbox wrote to path, or nil if nothing is there. It
// is an error if somebody else's file is: it will not be replaced, since the outputs of a real
// backend may exist nowhere but here.
func earlierOutputs(path string) ([]byte, error) {
	there, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !fromSandbox(there) {
		return nil, fmt.Errorf("%s was not written by a sandbox and stays as it is: name another file with --write-outputs, or move it away", path)
	}
	return there, err
}

// writeOutputs writes outputs to path, which [earlierOutputs] has found to be replaceable.
func writeOutputs(path string, outputs []byte) error {
	// Written beside and renamed, so that no program reads half a file.
	f, err := os.CreateTemp(filepath.Dir(path), ".amplify_outputs-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it has been renamed
	_, err = f.Write(outputs)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// fromSandbox reports whether a sandbox wrote these outputs: only they tell where its services are.
func fromSandbox(outputs []byte) bool {
	var o struct {
		Custom struct {
			AmplifyGo struct {
				Endpoints map[string]string `json:"endpoints"`
			} `json:"amplify_go"`
		} `json:"custom"`
	}
	return json.Unmarshal(outputs, &o) == nil && len(o.Custom.AmplifyGo.Endpoints) > 0
}
