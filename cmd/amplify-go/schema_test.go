package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/function"
)

const noteSchema = `type Note @model @auth(rules: [{allow: public}]) { text: String }`

// apiOutputs are those of a backend with a GraphQL API.
var apiOutputs = strings.Replace(realOutputs, "{", `{
	"data": {
		"url": "https://abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-1.amazonaws.com/graphql",
		"aws_region": "eu-west-1", "api_key": "da2-abcdefghijklmnopqrstuvwxyz",
		"default_authorization_type": "API_KEY", "authorization_types": ["AMAZON_COGNITO_USER_POOLS"]
	},`, 1)

// place writes a file in a directory that need not be there.
func place(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Dir(path), filepath.Base(path), text)
}

func TestFindSchema(t *testing.T) {
	const (
		older = ".amplify/artifacts/cdk.out/asset.1/model-schema.graphql"
		newer = ".amplify/artifacts/cdk.out/asset.2/model-schema.graphql"
		gen1  = "amplify/backend/api/notes/schema.graphql"
		files = "amplify/backend/api/notes/schema"
	)
	for _, c := range []struct {
		name  string
		files []string // each newer than the one before
		dir   string   // of the outputs
		want  string
	}{
		{"none", nil, ".", ""},
		{"Gen 2", []string{newer}, ".", newer},
		{"Gen 2, deployed twice", []string{older, newer}, ".", newer},
		{"Gen 2, deployed twice, the names in another order", []string{newer, older}, ".", older},
		{"Gen 1", []string{gen1}, ".", gen1},
		{"Gen 1, outputs in src", []string{gen1}, "src", gen1},
		{"Gen 1, several files", []string{files + "/a.graphql"}, ".", files},
		{"Gen 1, several files, outputs in src", []string{files + "/a.graphql"}, "src", files},
		{"Gen 1, one file before several", []string{gen1, files + "/a.graphql"}, ".", gen1},
		{"Gen 2 before Gen 1", []string{newer, gen1}, ".", newer},
		{"Gen 2 of another project", []string{newer}, "other", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "a[b]*") // no pattern
			written := time.Now()
			for _, file := range c.files {
				path := place(t, filepath.Join(root, file), noteSchema)
				written = written.Add(time.Minute)
				if err := os.Chtimes(path, written, written); err != nil {
					t.Fatal(err)
				}
			}
			got, err := findSchema(filepath.Join(root, c.dir))
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want != "" {
				want = filepath.Join(root, want)
			}
			if got != want {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}

// A schema may be in several files of a directory.
func TestSchemaOfDirectory(t *testing.T) {
	dir := t.TempDir()
	place(t, filepath.Join(dir, "schema/notes/note.graphql"), `
		type Note @model @auth(rules: [{allow: public}]) { kind: Kind }`)
	place(t, filepath.Join(dir, "schema/kind.graphql"), `enum Kind { A B }`)
	place(t, filepath.Join(dir, "schema/README.md"), `The schema`)
	s := startSandbox(t, dir, "--schema=schema")
	if !strings.Contains(read(t, s.Outputs), `"enum": "Kind"`) {
		t.Error("the outputs do not know the note's kind")
	}
	place(t, filepath.Join(dir, "schema/notes/note.graphql"), "type Note\n@model @locked { a: Int }")
	place(t, filepath.Join(dir, "none/README.md"), `The schema`)
	for flag, want := range map[string]string{
		"--schema=schema": filepath.Join("schema", "notes", "note.graphql") +
			":2: Undefined directive locked.",
		"--schema=none": "has no file whose name ends with .graphql",
	} {
		_, stderr, status := output(t, dir, "sandbox", "--port=0", flag)
		if status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d; stderr: %s", flag, status, stderr)
		}
	}
}

// The sandbox serves the schema of the flag, or of the backend that it imitates.
func TestSandboxServesSchema(t *testing.T) {
	found := ".amplify/artifacts/cdk.out/asset.1/model-schema.graphql"
	for _, c := range []struct {
		name, outputs string
		args          []string
		want          string // the schema that it tells of
	}{
		{"the flag", "", []string{"--schema=notes.graphql"}, "notes.graphql"},
		{"of the backend", apiOutputs, []string{"--outputs=amplify_outputs.json"}, found},
		{
			"the flag before the backend's", apiOutputs,
			[]string{"--outputs=amplify_outputs.json", "--schema=notes.graphql"}, "notes.graphql",
		},
		{"of a backend without an API", realOutputs, []string{"--outputs=amplify_outputs.json"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "notes.graphql", noteSchema)
			place(t, filepath.Join(dir, found), noteSchema)
			if c.outputs != "" {
				write(t, dir, "amplify_outputs.json", c.outputs)
			}
			s := startSandbox(t, dir, c.args...)
			got, err := filepath.Rel(dir, s.Schema)
			if c.want == "" {
				if s.Schema != "" {
					t.Errorf("serves the schema %s", s.Schema)
				}
				return
			}
			if err != nil || filepath.ToSlash(got) != c.want {
				t.Errorf("serves the schema %q (%v), want %s", s.Schema, err, c.want)
			}
			if !strings.Contains(read(t, s.Outputs), `"data": {`) {
				t.Error("the outputs tell of no API")
			}
		})
	}
}

// A program of its own answers a custom operation.
func TestSandboxAsksFunctions(t *testing.T) {
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e function.Event
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, "%q", "Hello, "+e.Arguments["name"].(string))
	}))
	defer program.Close()
	dir := t.TempDir()
	write(t, dir, "notes.graphql", noteSchema+`type Query {
		greet(name: String): String @function(name: "greet") @auth(rules: [{allow: public}])
	}`)
	s := startSandbox(t, dir, "--schema=notes.graphql", "--function=Query.greet="+program.URL)
	var o struct {
		Data struct {
			APIKey string `json:"api_key"`
		}
	}
	if err := json.Unmarshal([]byte(read(t, s.Outputs)), &o); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
		strings.NewReader(`{"query": "{ greet(name: \"Ann\") }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", o.Data.APIKey)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != `{"data":{"greet":"Hello, Ann"}}` {
		t.Errorf("%s, %v", body, err)
	}
	for flag, want := range map[string]string{
		"--function=Query.greet=3001":             "--function Query.greet=3001: give the address",
		"--function=Query.gone=http://localhost/": `there is a function for "Query.gone", but the data schema has the custom operations Query.greet`,
	} {
		_, stderr, status := output(t, dir, "sandbox", "--port=0", "--schema=notes.graphql", flag)
		if status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d; stderr: %s", flag, status, stderr)
		}
	}
}

// A rule that the sandbox does not know stops it, with the file and the line.
func TestSandboxRefusesUnknownRules(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "notes.graphql", "type Note\n@model @locked { text: String }")
	_, stderr, status := output(t, dir, "sandbox", "--port=0", "--schema=notes.graphql")
	if status != 1 || !strings.Contains(stderr, "notes.graphql:2: Undefined directive locked.") {
		t.Errorf("status %d; stderr: %s", status, stderr)
	}
}
