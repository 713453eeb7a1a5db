package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/function"
)

// setSchema reads the data schema: the given file or directory, or the one of the backend that is
// imitated.
func (c *sandboxCommand) setSchema(config *sandbox.Config) error {
	if c.Schema == "" && c.Outputs != "" && hasData(config.Outputs) {
		var err error
		if c.Schema, err = findSchema(filepath.Dir(c.Outputs)); err != nil {
			return err
		}
	}
	if c.Schema == "" {
		return nil
	}
	files, err := readSchema(c.Schema)
	if err != nil {
		return err
	}
	config.Data.SchemaFiles = files
	return nil
}

// readSchema returns the texts of a schema's files by their names: of one file, or of all in a
// directory and below it whose names end with .graphql, as Gen 1 reads them.
func readSchema(path string) (map[string]string, error) {
	files := map[string]string{}
	read := func(path string) error {
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	}
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return files, read(path)
	}
	err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".graphql" {
			return err
		}
		return read(path)
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("the directory %s has no file whose name ends with .graphql", path)
	}
	return files, err
}

// hasData reports whether outputs of Gen 2 or Gen 1 tell of a GraphQL API.
func hasData(outputs []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(outputs, &members) != nil {
		return false // the sandbox says what is wrong
	}
	return members["data"] != nil || members["aws_appsync_graphqlEndpoint"] != nil
}

// setFunctions sets the programs that answer custom operations.
func (c *sandboxCommand) setFunctions(config *sandbox.Config) error {
	if len(c.Function) == 0 {
		return nil
	}
	config.Data.Functions = map[string]function.Handler{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Function)) {
		address := c.Function[name]
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			errs = append(errs, fmt.Errorf("--function %s=%s: give the address of a program, "+
				"such as %s=http://localhost:3001/", name, address, name))
		}
		config.Data.Functions[name] = function.HTTP(nil, address)
	}
	return errors.Join(errs...)
}

// findSchema returns the annotated schema of the backend whose outputs are in a directory; empty if
// there is none. The command of Gen 2 leaves it in .amplify/artifacts when it deploys, and keeps
// those of earlier deployments: the newest counts. In Gen 1 it is a source file, or a directory of
// them if there is no such file, and the outputs may be in a directory of the project such as src.
func findSchema(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	gen2 := filepath.Join(".amplify", "artifacts", "cdk.out", "*", "model-schema.graphql")
	gen1 := filepath.Join("amplify", "backend", "api", "*", "schema.graphql")
	gen1Files := filepath.Join("amplify", "backend", "api", "*", "schema")
	for _, at := range []struct{ dir, pattern string }{
		{dir, gen2}, {dir, gen1}, {dir, gen1Files},
		{filepath.Dir(dir), gen1}, {filepath.Dir(dir), gen1Files},
	} {
		if path, err := newest(at.dir, at.pattern); path != "" || err != nil {
			return path, err
		}
	}
	return "", nil
}

// newest returns the file that was written last of those that match a pattern; empty if none does.
func newest(dir, pattern string) (string, error) {
	root := os.DirFS(dir) // whose patterns know no special characters in dir itself
	names, err := fs.Glob(root, filepath.ToSlash(pattern))
	if err != nil {
		return "", err
	}
	var found string
	var last fs.FileInfo
	for _, name := range names {
		info, err := fs.Stat(root, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("look for the data schema: %w (--schema names it)", err)
		}
		if last == nil || info.ModTime().After(last.ModTime()) {
			found, last = filepath.Join(dir, filepath.FromSlash(name)), info
		}
	}
	return found, nil
}
