package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeOutputs writes the outputs of a sandbox to path. It replaces the file of an earlier sandbox
// and nothing else: the outputs of a real backend may exist nowhere but here.
func writeOutputs(path string, outputs []byte) error {
	switch there, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !fromSandbox(there):
		return fmt.Errorf("%s was not written by a sandbox and stays as it is; name another file with --write-outputs, or move it away", path)
	}

	// Written beside and renamed, so that nobody ever reads half a file.
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
