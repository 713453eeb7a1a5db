package data_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

// FuzzAnswer: an answer of any kind is data, an error or both; it never panics. What has errors is
// an error, and so is what is not JSON.
func FuzzAnswer(f *testing.F) {
	statuses := []int{200, 204, 302, 400, 401, 403} // a call with any of them is sent once
	for _, seed := range []string{
		`{"data":{"listNotes":{"items":[{"id":"1","title":"a","n":1,"tags":["x"],"at":"2024-05-17T12:00:00.000Z"}],"nextToken":"t"}}}`,
		`{"data":null,"errors":[{"message":"m","errorType":"Unauthorized","path":["a",0],"locations":[{"line":1,"column":2}],"errorInfo":null,"data":null}]}`,
		`{"data":{"listNotes":{"items":[null]}},"errors":{"message":"m"}}`, `{"errors":[]}`, `{"errors":[[1],{"path":{}},"x",null,{"locations":1}]}`,
		`{"message":"m","__type":"T"}`, `{"message":1,"code":[]}`, `[]`, `null`, `1e999`, `"`, ``, `<html>`, `{"data":` + strings.Repeat("[", 20_000),
		"{\"data\":{\"listNotes\":{\"items\":[{\"title\":\"\x00\xff\\ud800\"}]}}}",
	} {
		for i := range statuses {
			f.Add(byte(i), seed, "UnauthorizedException:http://x")
		}
	}
	type answer struct {
		ListNotes struct {
			Items []*struct {
				ID, Title string
				N         *int
				Tags      []string
				Raw       json.RawMessage
			}
			NextToken string
		}
	}
	var status int
	var body, errorType string
	app := newApp(f, api(func(r *http.Request) (*http.Response, error) {
		resp := response(r, status, strings.NewReader(body))
		resp.Header["X-Amzn-Errortype"] = []string{errorType}
		return resp, nil
	}))
	f.Fuzz(func(t *testing.T, i byte, b, e string) {
		s := statuses[int(i)%len(statuses)]
		status, body, errorType = s, b, e
		ctx := as(t, app, "alice")
		typed, err := data.GraphQL[answer](ctx, data.Request{Query: query})
		raw, rawErr := data.GraphQL[json.RawMessage](ctx, data.Request{Query: query})
		var envelope struct{ Data, Errors json.RawMessage }
		valid := json.Unmarshal([]byte(b), &envelope) == nil
		switch {
		case typed == nil && err == nil, raw == nil && rawErr == nil:
			t.Error("neither data nor an error")
		case err == nil && rawErr != nil:
			t.Errorf("an error for raw data alone: %v", rawErr)
		case rawErr == nil && (!valid || s > 299):
			t.Errorf("status %d, %q: no error", s, b)
		case rawErr != nil && valid && s <= 299 && len(envelope.Errors) == 0 && len(envelope.Data) > 0 && string(envelope.Data) != "null":
			t.Errorf("%q: %v", b, rawErr)
		}
		for _, err := range []error{err, rawErr} {
			var known *amplify.Error
			if err != nil && (!errors.As(err, &known) || known.Name == "" || known.Message == "") {
				t.Errorf("the error is %#v", err)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("the error has several lines: %q", err)
			}
		}
	})
}

// FuzzDocument: a document of any kind is sent or refused; it never panics.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{
		"{ x }", "query A($a: Int = 1) { x(a: $a) { ...F } } fragment F on T { y }", "mutation { x }", "subscription { x }", "{", "", "\x00", "\"\"\"",
		"query { x(a: \"\\uD83D\") }", "type A { b: C }", "{ x # \n", strings.Repeat("{x", 2000), "\ufeff{ x }",
	} {
		f.Add(seed, "A")
		f.Add(seed, "")
	}
	app := newApp(f, answering(200, `{"data":{"x":1}}`))
	f.Fuzz(func(t *testing.T, document, name string) {
		out, err := data.GraphQL[json.RawMessage](as(t, app, "alice"), data.Request{Query: document, OperationName: name})
		if (out == nil) == (err == nil) || err != nil && amplify.ReasonOf(err) != amplify.ReasonInvalidRequest {
			t.Errorf("%q: %v", document, err)
		}
	})
}
