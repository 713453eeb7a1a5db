package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// recorded is the folder of the recordings.
func recorded(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("AMPLIFY_CONFORMANCE_DIR"); dir != "" {
		return dir
	}
	return "../../../../testdata/conformance"
}

// models returns the names of the recorded schemas.
func models(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(recorded(t), "models", "*", "model.graphql"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no recorded schemas in %s: %v", recorded(t), err)
	}
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	return names
}

// allModes are those of the recorded APIs.
var allModes = Options{Default: APIKey, Additional: []Provider{UserPool, IAM, Function}}

// load reads the annotated schema of a recorded backend.
func load(t testing.TB, model string) *Schema {
	t.Helper()
	path := filepath.Join(recorded(t), "models", model, "model.graphql")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Read("model.graphql", string(text), allModes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAPIIsTheDeployedOne compares the derived schema with the one that Amplify's transformer made.
func TestAPIIsTheDeployedOne(t *testing.T) {
	for _, model := range models(t) {
		t.Run(model, func(t *testing.T) {
			path := filepath.Join(recorded(t), "models", model, "schema.graphql")
			compareAPI(t, load(t, model), deployed(t, path))
		})
	}
}

// TestAPIOfOddSchema does the same for a schema of what real ones seldom have, by default mode.
func TestAPIOfOddSchema(t *testing.T) {
	text, err := os.ReadFile("testdata/odd/model.graphql")
	if err != nil {
		t.Fatal(err)
	}
	others := []Provider{APIKey, UserPool, IAM, Function, OIDC}
	for name, o := range map[string]Options{
		"":               {Default: APIKey, Additional: others},
		"userpool.modes": {Default: UserPool, Additional: others},
		"gen1.modes":     {Default: APIKey, Additional: others, Gen1: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read("model.graphql", string(text), o)
			if err != nil {
				t.Fatal(err)
			}
			want := deployed(t, "testdata/odd/schema.graphql")
			if name != "" {
				setModes(t, want, filepath.Join("testdata", "odd", name))
			}
			compareAPI(t, s, want)
		})
	}
}

// setModes gives types and fields of a deployed schema other modes: each line of a file has the name
// of one, and its directives.
func setModes(t *testing.T, s *ast.Schema, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		typ, field, isField := strings.Cut(words[0], ".")
		list := &s.Types[typ].Directives
		if isField {
			list = &s.Types[typ].Fields.ForName(field).Directives
		}
		*list = slices.DeleteFunc(*list, func(d *ast.Directive) bool {
			return len(modeDirectives(ast.DirectiveList{d})) > 0
		})
		for _, word := range words[1:] {
			*list = append(*list, &ast.Directive{Name: strings.TrimPrefix(word, "@")})
		}
	}
}

// deployed reads a deployed schema.
func deployed(t *testing.T, path string) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	document := validator.PreludeDocument()
	for _, source := range []string{amplify, string(text)} {
		part, err := parser.ParseSchema(&ast.Source{Name: path, Input: source})
		if err != nil {
			t.Fatal(err)
		}
		document.Merge(part)
	}
	want, err := validator.ValidateSchemaDocument(document)
	if err != nil {
		t.Fatal(err)
	}
	delete(want.Types, "AMPLIFY_Value")
	return want
}

// compareAPI compares the API of a schema with the deployed one.
func compareAPI(t *testing.T, got *Schema, want *ast.Schema) {
	t.Helper()
	for name := range got.API.Types {
		if want.Types[name] == nil {
			t.Errorf("not deployed: %s", name)
		}
	}
	for _, name := range sorted(want.Types) {
		for _, line := range diff(got.API.Types[name], want.Types[name]) {
			t.Error(line)
		}
	}
}

// diff tells how two types differ. The order of fields is left aside.
func diff(got, want *ast.Definition) []string {
	switch {
	case got == nil:
		return []string{"the API lacks " + string(want.Kind) + " " + want.Name}
	case want == nil:
		return []string{"not deployed: " + string(got.Kind) + " " + got.Name}
	}
	var out []string
	g, w := lines(got), lines(want)
	for _, line := range g {
		if !slices.Contains(w, line) {
			out = append(out, "not deployed: "+line)
		}
	}
	for _, line := range w {
		if !slices.Contains(g, line) {
			out = append(out, "the API lacks "+line)
		}
	}
	return out
}

// lines prints a type: one line for itself, one for each field or value.
func lines(d *ast.Definition) []string {
	out := []string{fmt.Sprintf("%s %s%s", d.Kind, d.Name, printDirectives(d.Directives))}
	for _, f := range d.Fields {
		var args []string
		for _, a := range f.Arguments {
			args = append(args, a.Name+": "+a.Type.String())
		}
		slices.Sort(args)
		out = append(out, fmt.Sprintf("%s.%s(%s): %s%s", d.Name, f.Name, strings.Join(args, ", "), f.Type,
			printDirectives(f.Directives)))
	}
	for _, v := range d.EnumValues {
		out = append(out, d.Name+"."+v.Name)
	}
	return out
}

func printDirectives(list ast.DirectiveList) string {
	var out []string
	for _, d := range list {
		text := " @" + d.Name
		for _, a := range d.Arguments {
			text += fmt.Sprintf("(%s: %s)", a.Name, a.Value)
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), "")
}
