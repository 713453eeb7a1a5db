package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"testing"

	"github.com/amplify-go/amplify/sandbox"
)

// The outputs describe the API that the data schema makes: a sandbox that knows only the one
// answers as one that knows the other.
func TestOutputsAgreeWithSchema(t *testing.T) {
	fromSchema, fromOutputs := apiOf(t, schema), apiOf(t, "")
	if !fromSchema["Note.comments[filter: ModelCommentFilterInput"+
		" sortDirection: ModelSortDirection limit: Int nextToken: String]: ModelCommentConnection"] {
		t.Errorf("the schema has no comments of notes: %v", fromSchema)
	}
	for line := range fromSchema {
		if !fromOutputs[line] {
			t.Errorf("the outputs lack %s", line)
		}
	}
	for line := range fromOutputs {
		if !fromSchema[line] {
			t.Errorf("the schema lacks %s", line)
		}
	}
}

// The outputs have the rules of the schema's models, those of the field owner excepted, for which
// they have no place.
func TestRulesInOutputs(t *testing.T) {
	var described struct {
		Data struct {
			Introspection struct {
				Models map[string]struct {
					Attributes []struct {
						Properties struct {
							Rules []struct {
								Allow, OwnerField  string
								Groups, Operations []string
							}
						}
					}
				}
			} `json:"model_introspection"`
		}
	}
	if err := json.Unmarshal(outputs, &described); err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for name, model := range described.Data.Introspection.Models {
		for _, attribute := range model.Attributes {
			for _, rule := range attribute.Properties.Rules {
				got[name] = append(got[name], fmt.Sprint(rule))
			}
		}
	}
	want := map[string][]string{
		"Note": {
			"{owner owner [] [create update delete read]}",
			"{groups  [admins] [read delete]}",
		},
		"Comment": {
			"{owner noteOwner [] [create read delete]}",
			"{groups  [admins] [create read delete]}",
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the rules are %v, want %v", got, want)
	}
}

// apiOf returns the fields of all types of the API that a sandbox makes of the outputs and a data
// schema.
func apiOf(t *testing.T, schema string) map[string]bool {
	t.Helper()
	const email = "bob@example.com"
	sb, err := sandbox.Start(t.Context(), sandbox.Config{
		Outputs: outputs,
		Data:    sandbox.Data{Schema: schema},
		Users: []sandbox.User{{
			Email: email, Password: seedPassword, Attributes: map[string]string{"name": "Bob"},
		}},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close(context.WithoutCancel(t.Context()))
	tokens, err := sb.Tokens(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"query": `
		{ __schema { types {
			name
			fields { name type { ...T } args { name type { ...T } } }
			inputFields { name type { ...T } }
		} } }
		fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { name } } } }`})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sb.URL()+"/graphql",
		bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", tokens.AccessToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Data struct {
			Schema struct {
				Types []struct {
					Name                string
					Fields, InputFields []field
				}
			} `json:"__schema"`
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for _, one := range answer.Data.Schema.Types {
		for _, f := range append(one.Fields, one.InputFields...) {
			line := one.Name + "." + f.Name
			if f.Args != nil {
				line += fmt.Sprint(f.Args)
			}
			lines[fmt.Sprint(line, ": ", f.Type)] = true
		}
	}
	return lines
}

// field is a field, or an argument, of a GraphQL API.
type field struct {
	Name string
	Type fieldType
	Args []field
}

func (f field) String() string { return fmt.Sprint(f.Name, ": ", f.Type) }

// fieldType is the type of a field.
type fieldType struct {
	Kind, Name string
	OfType     *fieldType
}

func (t fieldType) String() string {
	switch t.Kind {
	case "NON_NULL":
		return t.OfType.String() + "!"
	case "LIST":
		return "[" + t.OfType.String() + "]"
	}
	return t.Name
}
