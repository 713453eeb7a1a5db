package data_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
)

// appSync declares what a service of AppSync does not have to declare.
const appSync = `
scalar AWSDate scalar AWSTime scalar AWSDateTime scalar AWSTimestamp scalar AWSEmail scalar AWSJSON
scalar AWSURL scalar AWSPhone scalar AWSIPAddress
directive @aws_api_key on OBJECT | FIELD_DEFINITION
directive @aws_iam on OBJECT | FIELD_DEFINITION
directive @aws_lambda on OBJECT | FIELD_DEFINITION
directive @aws_oidc on OBJECT | FIELD_DEFINITION
directive @aws_cognito_user_pools(cognito_groups: [String!]) on OBJECT | FIELD_DEFINITION
directive @aws_subscribe(mutations: [String!]!) on FIELD_DEFINITION
`

// deployedSchema returns the deployed schema of a recorded API.
func deployedSchema(t testing.TB, name string) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(conformance.Dir(t), "models", name, "schema.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: appSync}, &ast.Source{Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// deployed is the API of a recorded schema. It checks each request by its deployed schema, keeps it,
// and answers it with the next of its answers.
type deployed struct {
	t      testing.TB
	schema *ast.Schema
	app    *amplify.App

	mu       sync.Mutex
	answers  []string
	requests []sentRequest
}

type sentRequest struct {
	Query     string
	Variables map[string]any
	Header    http.Header `json:"-"`
}

// deploy returns the API of the schema that AMPLIFY_CONFORMANCE_DIR, or this repository, has as "a".
func deploy(t testing.TB) *deployed {
	t.Helper()
	const name = "a"
	cfg, err := amplify.LoadConfig(filepath.Join(conformance.Dir(t), "models", name, "amplify_outputs.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := &deployed{t: t, schema: deployedSchema(t, name)}
	d.app, err = amplify.New(cfg, amplify.Options{HTTPClient: &http.Client{Transport: d}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// answer sets what the next requests are answered: values of "data", the last again and again.
func (d *deployed) answer(data ...string) {
	d.answers, d.requests = nil, nil
	for _, data := range data {
		d.answers = append(d.answers, `{"data":`+data+`}`)
	}
}

// context returns the context of a request of a user who is signed in, or not.
func (d *deployed) context(tokens amplify.TokenProvider) context.Context {
	ctx, done := amplify.WithServerContext(d.t.Context(), d.app, amplify.Providers{Tokens: tokens})
	d.t.Cleanup(done)
	return ctx
}

func (d *deployed) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	request := sentRequest{Header: r.Header}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	if err := d.valid(request.Query, request.Variables); err != nil {
		d.t.Errorf("the API refuses %s\nwith %v: %v", request.Query, request.Variables, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.requests) == 300 {
		return nil, errors.New("the test goes on and on")
	}
	answer := `{"data":null,"errors":[{"message":"no answer"}]}`
	if len(d.answers) > 0 {
		answer = d.answers[min(len(d.requests), len(d.answers)-1)]
	}
	d.requests = append(d.requests, request)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}

// valid checks a document, and the values of its variables, by the deployed schema.
func (d *deployed) valid(query string, variables map[string]any) error {
	doc, errs := gqlparser.LoadQueryWithRules(d.schema, query, nil)
	if len(errs) > 0 {
		return errs
	}
	for name := range variables {
		if doc.Operations[0].VariableDefinitions.ForName(name) == nil {
			return fmt.Errorf("the document does not declare %s", name)
		}
	}
	if _, err := validator.VariableValues(d.schema, doc.Operations[0], variables); err != nil {
		return err
	}
	return nil
}

// sent returns the variables of the only request as JSON.
func (d *deployed) sent() string {
	d.t.Helper()
	if len(d.requests) != 1 {
		d.t.Errorf("%d requests, not one", len(d.requests))
		return ""
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d.requests[0].Variables); err != nil {
		d.t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// signedIn is a session.
type signedIn struct{ tokens *amplify.Tokens }

func (s signedIn) Tokens(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
	return s.tokens, nil
}
