package introspection_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/introspection"
)

// described returns the recorded schemas by name.
func described(t testing.TB) map[string]*introspection.Schema {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(conformance.Dir(t), "models", "*", "amplify_outputs.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no models: ", err)
	}
	all := map[string]*introspection.Schema{}
	for _, file := range files {
		cfg, err := amplify.LoadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		app, err := amplify.New(cfg, amplify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := introspection.Of(app)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[filepath.Base(filepath.Dir(file))] = s
	}
	return all
}

// What the description says must be in the deployed schema, with the same types.
func TestDescriptionsAgreeWithTheDeployedSchema(t *testing.T) {
	for name, s := range described(t) {
		text, err := os.ReadFile(filepath.Join(conformance.Dir(t), "models", name, "schema.graphql"))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := parser.ParseSchema(&ast.Source{Input: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		deployed := func(object, field string) *ast.FieldDefinition {
			t.Helper()
			d := doc.Definitions.ForName(object)
			if d == nil {
				t.Errorf("%s: the deployed schema has no %s", name, object)
				return nil
			}
			f := d.Fields.ForName(field)
			if f == nil {
				t.Errorf("%s: the deployed schema has no %s.%s", name, object, field)
			}
			return f
		}
		for _, m := range s.Models {
			for _, f := range append(m.ImpliedFields(), m.Fields...) {
				d := deployed(m.Name, f.Name)
				// The service sets these, and so never has them null.
				if d == nil || f.ReadOnly || f.Type.Kind == introspection.ModelType {
					continue
				}
				// Keys of a many-to-many relation are described as if they could be null.
				if got := d.Type.String(); got != f.Type.String() && got != f.Type.String()+"!" {
					t.Errorf("%s.%s is %s, deployed %s", m.Name, f.Name, f.Type, got)
				}
			}
			for _, a := range m.Actions() {
				root := "Mutation"
				if a == introspection.Get || a == introspection.List {
					root = "Query"
				}
				deployed(root, m.Operation(a))
			}
			for _, i := range m.Indexes {
				if d := deployed("Query", i.Query); d != nil && d.Arguments.ForName(i.Key[0]) == nil {
					t.Errorf("%s does not take %s", i.Query, i.Key[0])
				}
			}
		}
		for root, operations := range map[string][]*introspection.Operation{
			"Query": s.Queries, "Mutation": s.Mutations, "Subscription": s.Subscriptions,
		} {
			for _, o := range operations {
				d := deployed(root, o.Name)
				if d == nil {
					continue
				}
				if d.Type.String() != o.Type.String() {
					t.Errorf("%s returns %s, deployed %s", o.Name, o.Type, d.Type)
				}
				for _, a := range o.Arguments {
					if got := d.Arguments.ForName(a.Name); got == nil || got.Type.String() != a.Type.String() {
						t.Errorf("%s.%s is %s, deployed %v", o.Name, a.Name, a.Type, got)
					}
				}
			}
		}
	}
}

const notes = `{
	"version": 1,
	"models": {
		"Note": {
			"name": "Note", "pluralName": "Notes",
			"fields": {
				"id": {"name": "id", "type": "ID", "isArray": false, "isRequired": true, "attributes": []},
				"z": {"name": "z", "type": "String", "isArray": true, "isRequired": true, "isArrayNullable": true},
				"mood": {"name": "mood", "type": {"enum": "Mood"}, "isArray": false, "isRequired": true},
				"place": {"name": "place", "type": {"nonModel": "Place"}, "isArray": true, "isRequired": true, "isArrayNullable": false},
				"parent": {"name": "parent", "type": {"model": "Note"}, "isArray": false, "isRequired": false,
					"association": {"connectionType": "BELONGS_TO", "targetNames": ["parentId"]}},
				"notes": {"name": "notes", "type": {"model": "Note"}, "isArray": true, "isRequired": false,
					"association": {"connectionType": "HAS_MANY", "associatedWith": "parentId"}},
				"createdAt": {"name": "createdAt", "type": "AWSDateTime", "isReadOnly": true},
				"odd": {"name": "odd", "type": {"union": "Things"}}
			},
			"attributes": [
				{"type": "model", "properties": {"queries": {"get": "fetchNote"}, "mutations": {"update": null}}},
				{"type": "key", "properties": {"fields": ["id"]}},
				{"type": "key", "properties": {"name": "byMood", "queryField": "notesByMood", "fields": ["mood", "createdAt"]}},
				{"type": "key", "properties": {"name": "unasked", "fields": ["mood"]}},
				{"type": "auth", "properties": {"rules": [
					{"allow": "owner", "operations": ["create", "read"]},
					{"allow": "groups", "groupsField": "team", "operations": ["get"]},
					{"allow": "owner", "ownerField": "id", "operations": ["delete"]}]}}
			],
			"primaryKeyInfo": {"isCustomPrimaryKey": false, "primaryKeyFieldName": "id", "sortKeyFieldNames": []}
		}
	},
	"enums": {"Mood": {"name": "Mood", "values": ["GOOD", "BAD"]}},
	"nonModels": {"Place": {"name": "Place", "fields": {"city": {"name": "city", "type": "String"}}}},
	"queries": {"count": {"name": "count", "type": "Int", "isArray": false, "isRequired": true,
		"arguments": {"near": {"name": "near", "type": {"input": "PlaceInput"}, "isRequired": true}}}},
	"inputs": {"PlaceInput": {"name": "PlaceInput", "attributes": {"city": {"name": "city", "type": "String"}}}}
}`

func TestParse(t *testing.T) {
	s, err := introspection.Parse([]byte(notes))
	if err != nil {
		t.Fatal(err)
	}
	m := s.Model("Note")
	var fields []string
	for _, f := range m.Fields {
		fields = append(fields, f.Name+": "+f.Type.String())
	}
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"fields in their order", fields, []string{"id: ID!", "z: [String!]", "mood: Mood!", "place: [Place!]!", "parent: Note",
			"notes: [Note]!", "createdAt: AWSDateTime", "odd: "}},
		{"the old form of associatedWith", m.Field("notes").Relation.With, []string{"parentId"}},
		{"a renamed operation", m.Operation(introspection.Get), "fetchNote"},
		{"actions", m.Actions(), []introspection.Action{"get", "list", "create", "delete"}},
		{"indexes that have a query", m.Indexes, []*introspection.Index{{"byMood", "notesByMood", []string{"mood", "createdAt"}}}},
		{"owner fields", m.OwnerFields(), []string{"owner", "team", "id"}},
		{"implied fields", len(m.ImpliedFields()), 2},
		{"read allows get", m.Rules[0].Allows(introspection.Get), true},
		{"read does not allow delete", m.Rules[0].Allows(introspection.Delete), false},
		{"get does not allow list", m.Rules[1].Allows(introspection.List), false},
		{"a type", s.Object(m.Field("place").Type).Fields[0].Name, "city"},
		{"a result", s.Queries[0].Type.String(), "Int!"},
		{"an argument", s.Queries[0].Arguments[0].Type.String(), "PlaceInput!"},
		{"values", s.Enum("Mood").Values, []string{"GOOD", "BAD"}},
		{"an unknown model", s.Model("Nope") == nil, true},
	} {
		if d := cmp.Diff(check.want, check.got); d != "" {
			t.Errorf("%s (-want +got)\n%s", check.what, d)
		}
	}
}

func TestParseFaults(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no JSON", notes, `{"models": `, "no JSON"},
		{"another document", notes, `[]`, "a JSON array does not belong here"},
		{"a list for an object", `{"Place": {"name"`, `[{"Place": {"name"`, "no JSON"},
		{"a wrong type", `"isArray": true, "isRequired": true, "isArrayNullable": true`, `"isArray": "yes"`,
			"models.Note.fields.z.isArray: a JSON string does not belong here"},
		{"a field without a type", `"name": "city", "type": "String"`, `"name": "city"`, "nonModels.Place.fields.city.type: is missing"},
		{"a name that is none", `"city": {"name"`, `"ci ty": {"name"`, `nonModels.Place.fields: "ci ty" is no name of GraphQL`},
		{"a type that is no name", `"type": "ID"`, `"type": "ID) { x }"`, `"ID) { x }" is no name of GraphQL`},
		{"a value that is no name", `"GOOD"`, `"VERY GOOD"`, `enums.Mood.values: "VERY GOOD"`},
		{"a query that is no name", `"fetchNote"`, `"fetch{Note"`, `queries.get: "fetch{Note"`},
		{"an index that is no name", `"notesByMood"`, `"notes}"`, `queryField: "notes}"`},
		{"an owner field that is no name", `"groupsField": "team"`, `"groupsField": "a{b"`, `"a{b" is no name of GraphQL`},
		{"a plural that is no name", `"pluralName": "Notes"`, `"pluralName": "No tes"`, `models.Note.pluralName`},
		{"an unknown enum", `{"enum": "Mood"}`, `{"enum": "Mod"}`, `models.Note.fields.mood: there is no type "Mod"`},
		{"an unknown model", `"type": {"model": "Note"}, "isArray": false`, `"type": {"model": "Not"}, "isArray": false`,
			`models.Note.fields.parent: there is no type "Not"`},
		{"an input as a field", `{"nonModel": "Place"}`, `{"input": "PlaceInput"}`, `the type "PlaceInput" does not belong here`},
		{"an unknown key", `"primaryKeyFieldName": "id"`, `"primaryKeyFieldName": "no"`, `models.Note.primaryKeyInfo: there is no field "no"`},
		{"a key that is a list", `"fields": ["mood", "createdAt"]`, `"fields": ["mood", "z"]`, `the field "z" cannot be part of a key`},
		{"a key that repeats itself", `"fields": ["mood", "createdAt"]`, `"fields": ["mood", "mood"]`, `the field "mood" stands there twice`},
		{"an unknown relation", `"HAS_MANY"`, `"HAS_SOME"`, `"HAS_SOME" is no kind of association`},
		{"a relation that is no list", `"HAS_MANY"`, `"HAS_ONE"`, "a list and HAS_ONE do not belong together"},
		{"a target that is no name", `["parentId"]`, `["parent id"]`, `"parent id" is no name of GraphQL`},
		{"a field that is there twice", `"isReadOnly": true}`, `"isReadOnly": true}, "id": {"type": "ID"}`, "models.Note.fields.id: stands there twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(notes, c.old) {
				t.Fatal("the description has changed")
			}
			_, err := introspection.Parse([]byte(strings.Replace(notes, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestOfSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		data *amplify.DataConfig
		want string
	}{
		"no API":          {nil, "does not describe the models"},
		"no description":  {&amplify.DataConfig{}, "npx ampx generate outputs"},
		"null":            {&amplify.DataConfig{ModelIntrospection: json.RawMessage("null")}, "does not describe the models"},
		"a wrong one":     {&amplify.DataConfig{ModelIntrospection: json.RawMessage(`{"models":{"A":{"fields":{"b":{}}}}}`)}, "models.A.fields.b.type: is missing"},
		"a key is needed": {&amplify.DataConfig{ModelIntrospection: json.RawMessage(`{"models":{"A":{}}}`)}, `there is no field "id"`},
	} {
		app, err := amplify.New(amplify.Config{Data: c.data}, amplify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = introspection.Of(app)
		if err == nil || !strings.Contains(err.Error(), c.want) || amplify.ReasonOf(err) != amplify.ReasonConfiguration {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(notes))
	for _, s := range []string{`{}`, `null`, `{"models":null}`, `{"models":{"A":null}}`, `{"enums":{"A":{"values":null}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, description []byte) {
		s, err := introspection.Parse(description)
		if err != nil {
			return
		}
		for _, m := range s.Models {
			for _, f := range slices.Concat(m.Fields, m.ImpliedFields()) {
				if f.Type.Kind != introspection.UnknownType && f.Type.Name == "" {
					t.Errorf("%s.%s has no type", m.Name, f.Name)
				}
			}
			for _, name := range m.Key {
				if m.Field(name) == nil {
					t.Errorf("%s has no %s", m.Name, name)
				}
			}
		}
	})
}
