package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/internal/introspection"
	"github.com/amplify-go/amplify/sandbox"
)

// TestSchemaAloneDescribesModels: the outputs of a sandbox that has an annotated schema, and nothing
// else, are enough for the models of package data. The schema has what real ones seldom have.
func TestSchemaAloneDescribesModels(t *testing.T) {
	schema, err := os.ReadFile("../sandbox/internal/appsync/schema/testdata/odd/model.graphql")
	if err != nil {
		t.Fatal(err)
	}
	s := startData(t, sandbox.Config{Data: sandbox.Data{
		Schema: string(schema), OIDC: sandbox.OIDCProvider{Issuer: "http://127.0.0.1:1"}}})
	app := s.runner.App()
	described, err := introspection.Parse(s.config.Data.ModelIntrospection)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Count(string(schema), " @model") + 1; len(described.Models) != want {
		t.Errorf("%d models are described, want %d: those of the schema, and the one that joins",
			len(described.Models), want)
	}
	for _, m := range described.Models {
		if _, err := data.DynamicModelOf(app, m.Name); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
}
