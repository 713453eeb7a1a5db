package data_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/introspection"
)

// scalarTypes are Go types that fit the scalars.
var scalarTypes = map[string][]reflect.Type{
	"ID": {reflect.TypeFor[string]()}, "String": {reflect.TypeFor[string](), reflect.TypeFor[level]()},
	"Int":     {reflect.TypeFor[int](), reflect.TypeFor[int32](), reflect.TypeFor[float64]()},
	"Float":   {reflect.TypeFor[float64](), reflect.TypeFor[float32]()},
	"Boolean": {reflect.TypeFor[bool]()}, "AWSDate": {reflect.TypeFor[data.Date](), reflect.TypeFor[string]()},
	"AWSDateTime": {reflect.TypeFor[time.Time](), reflect.TypeFor[string]()}, "AWSTime": {reflect.TypeFor[data.TimeOfDay]()},
	"AWSTimestamp": {reflect.TypeFor[data.Timestamp](), reflect.TypeFor[int64]()},
	"AWSJSON":      {reflect.TypeFor[data.JSON[any]](), reflect.TypeFor[string]()}, "AWSEmail": {reflect.TypeFor[string]()},
	"AWSURL": {reflect.TypeFor[string]()}, "AWSPhone": {reflect.TypeFor[string]()},
	"AWSIPAddress": {reflect.TypeFor[netip.Addr](), reflect.TypeFor[netip.Prefix]()},
}

// structOf returns a struct that selects some fields of a type.
func structOf(s *introspection.Schema, t introspection.Type, depth int, random *rand.Rand) reflect.Type {
	fields := s.Object(t).Fields
	var chosen []reflect.StructField
	for _, i := range random.Perm(len(fields)) {
		f := fields[i]
		if len(chosen) > 0 && random.IntN(3) == 0 || s.Object(f.Type) != nil && depth == 0 {
			continue
		}
		var g reflect.Type
		switch f.Type.Kind {
		case introspection.ScalarType:
			fitting := scalarTypes[f.Type.Name]
			g = fitting[random.IntN(len(fitting))]
		case introspection.EnumType:
			g = reflect.TypeFor[level]()
		default:
			if g = structOf(s, f.Type, depth-1, random); g == nil {
				continue
			}
		}
		tag := reflect.StructTag(fmt.Sprintf(`json:%q`, f.Name))
		switch {
		case f.Relation != nil && f.Relation.Kind == introspection.HasMany:
			g = reflect.StructOf([]reflect.StructField{
				{Name: "Items", Type: reflect.SliceOf(g)}, {Name: "NextToken", Type: reflect.TypeFor[*string]()},
			})
			if random.IntN(2) == 0 {
				tag += ` data:"limit=3"`
			}
		case f.Type.List:
			g = reflect.SliceOf(g)
		}
		if random.IntN(2) == 0 {
			g = reflect.PointerTo(g)
		}
		chosen = append(chosen, reflect.StructField{Name: introspection.Capitalize(f.Name), Type: g, Tag: tag})
	}
	if len(chosen) == 0 {
		return nil
	}
	return reflect.StructOf(chosen)
}

// pathOf returns a path that selects something in a type.
func pathOf(s *introspection.Schema, t introspection.Type, depth int, random *rand.Rand) string {
	fields := s.Object(t).Fields
	f := fields[random.IntN(len(fields))]
	switch {
	case s.Object(f.Type) == nil:
		return f.Name
	case depth == 0 || random.IntN(3) == 0:
		return f.Name + ".*"
	}
	return f.Name + "." + pathOf(s, f.Type, depth-1, random)
}

// Each document, of any selection, is valid by the deployed schema.
func TestDocumentsOfModelsAreValid(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(conformance.Dir(t), "models", "*", "amplify_outputs.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no schemas: ", err)
	}
	for _, file := range files {
		cfg, err := amplify.LoadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		app, err := amplify.New(cfg, amplify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		schema, err := introspection.Of(app)
		if err != nil {
			t.Fatal(err)
		}
		deployed := deployedSchema(t, filepath.Base(filepath.Dir(file)))
		valid := func(name, document string) {
			t.Helper()
			if _, errs := gqlparser.LoadQueryWithRules(deployed, document, nil); len(errs) > 0 {
				t.Errorf("%s: %v\n%s", name, errs, document)
			}
		}
		for _, m := range schema.Models {
			item := introspection.Type{Kind: introspection.ModelType, Name: m.Name}
			for seed := range uint64(12) {
				random := rand.New(rand.NewPCG(seed, 1))
				selected := structOf(schema, item, 3, random)
				if selected == nil {
					continue
				}
				documents, err := data.DocumentsOf(app, m.Name, selected)
				if err != nil {
					t.Errorf("%s, %s: %v", m.Name, selected, err)
				}
				for name, document := range documents {
					valid(name, document)
				}
				var paths []string
				for range 1 + random.IntN(5) {
					paths = append(paths, pathOf(schema, item, 3, random))
				}
				dynamic, err := data.DynamicModelOf(app, m.Name, paths...)
				if err != nil {
					t.Errorf("%s, %q: %v", m.Name, paths, err)
					continue
				}
				for name, document := range data.ModelDocuments(dynamic) {
					valid(name, document)
				}
			}
			all, err := data.DynamicModelOf(app, m.Name)
			if err != nil {
				t.Fatal(err)
			}
			for name, document := range data.ModelDocuments(all) {
				valid(name, document)
			}
			for _, f := range m.Fields {
				if f.Relation == nil {
					continue
				}
				r, err := data.RelationOf[map[string]any](all, f.Name)
				if err != nil {
					t.Errorf("%s.%s: %v", m.Name, f.Name, err)
					continue
				}
				valid(m.Name+"."+f.Name, data.DocumentOf(r))
			}
		}
	}
}

// Fields are found as encoding/json finds them.
func TestFieldsAreThoseOfJSON(t *testing.T) {
	api := deploy(t)
	type Inner struct {
		Title string `json:"title"`
		Seats int
		Price float64 // hidden by the outer one
	}
	type Other struct {
		State  string
		Seats  int    // one of two at the same depth: neither counts
		HeldOn string `json:"heldOn"` // hidden by the outer one
	}
	type pointed struct{ Extra string } // cannot be set by encoding/json
	type outer struct {
		*Inner
		Other
		*pointed
		Price  *float64
		Id     string `json:"ID"` // another case
		level  string
		Owner  string `json:"-"`
		Unused int    `json:"-"`
		HeldOn string `json:"heldOn"`
	}
	_ = outer{level: ""}.level
	m, err := data.ModelOf[outer](api.app, "Workshop")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(data.ModelDocuments(m)["getWorkshop"]), " ")
	if want := "query ($id: ID!) { getWorkshop(id: $id) { price id heldOn title state } }"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// FuzzSelection: paths are refused, or make documents that are valid by the deployed schema.
func FuzzSelection(f *testing.F) {
	for _, s := range []string{"id", "id title studio.*", "bookings.customer.displayName", "studio.address.point.lat", "*", "studio..name", "id{x}"} {
		f.Add(s)
	}
	api := deploy(f)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := data.DynamicModelOf(api.app, "Workshop", strings.Fields(text)...)
		if err != nil {
			return
		}
		for name, document := range data.ModelDocuments(m) {
			if _, errs := gqlparser.LoadQueryWithRules(api.schema, document, nil); len(errs) > 0 {
				t.Errorf("%s of %q: %v\n%s", name, text, errs, document)
			}
		}
	})
}

// FuzzDescription: whatever describes a backend, each document is one query or mutation of one
// field.
func FuzzDescription(f *testing.F) {
	for _, s := range []string{
		`{"models":{"A":{"fields":{"id":{"type":"ID","isRequired":true},"bs":{"type":{"model":"A"},"isArray":true,
			"association":{"connectionType":"HAS_MANY","associatedWith":["a"]}}}}}}`,
		`{"queries":{"q":{"type":"Int","isArray":true,"arguments":{"x":{"type":"ID","isArray":true,"isRequired":true}}}}}`,
		`{"models":{"A":{"pluralName":"As","fields":{"id":{"type":"ID"}},"attributes":[{"type":"key","properties":
			{"name":"b y","queryField":"q","fields":["id"]}}]}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, description []byte) {
		for _, document := range data.DocumentsFrom(description) {
			doc, err := parser.ParseQuery(&ast.Source{Input: document})
			if err != nil || len(doc.Operations) != 1 || len(doc.Operations[0].SelectionSet) != 1 || len(doc.Fragments) > 0 {
				t.Errorf("%v\n%s", err, document)
			}
		}
	})
}
