package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/items"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

const (
	// itemsOnPage is how many items a page shows at most.
	itemsOnPage = 100
	// maxValue is how many characters of a value the table of items shows.
	maxValue = 200
)

func (h *Handler) registerData(mux *http.ServeMux) {
	mux.Handle("GET /console/data", h.get(page{"data", h.data}))
	mux.Handle("GET /console/data/{model}", h.get(page{"items", h.items}))
	query := page{"query", h.query}
	mux.Handle("GET /console/query", h.get(query))
	mux.Handle("POST /console/query", h.answer(query, h.ask))
}

// dataPage says who may do what.
type dataPage struct {
	Models []modelView
	// Operations are the custom ones.
	Operations []guarded
	Warnings   []string
}

type modelView struct {
	Name string
	// Guarded are the model, and fields that have rules of their own.
	Guarded []guarded
}

// guarded is something that has rules.
type guarded struct {
	Name  string
	Rules []ruleView
}

type ruleView struct{ schema.Rule }

// Who names whom the rule lets in.
func (r ruleView) Who() string {
	who, claim := "", ""
	switch r.Allow {
	case schema.Public:
		if r.Provider == schema.APIKey {
			return "the API key"
		}
		return "guests of the identity pool"
	case schema.Private:
		switch r.Provider {
		case schema.UserPool:
			return "signed-in users"
		case schema.OIDC:
			return "users of the OIDC provider"
		}
		return "signed-in users of the identity pool"
	case schema.Lambda:
		return "whom the Lambda authorizer lets in"
	case schema.Owner:
		who, claim = "the owner in the field "+r.OwnerField, r.IdentityClaim
	case schema.Groups:
		who, claim = "the groups in the field "+r.GroupsField, r.GroupClaim
		if r.Groups != nil {
			who = "group " + strings.Join(r.Groups, ", group ")
		}
	}
	if !slices.Contains([]string{"", "sub::username", "cognito:groups"}, claim) {
		who += ", by the claim " + claim
	}
	if r.Provider == schema.OIDC {
		who += ", of the OIDC provider"
	}
	return who
}

// What names what the rule allows.
func (r ruleView) What() string {
	var list []string
	for _, a := range []struct {
		access schema.Access
		name   string
	}{
		{schema.AllowCreate, "create"}, {schema.AllowUpdate, "update"},
		{schema.AllowDelete, "delete"}, {schema.AllowRead, "read"},
		{schema.AllowGet, "get"}, {schema.AllowList, "list"}, {schema.AllowListen, "listen"},
	} {
		if r.Access&a.access == a.access && !slices.Contains(list, "read") {
			list = append(list, a.name)
		}
	}
	return strings.Join(list, ", ")
}

func viewsOf(rules []schema.Rule) []ruleView {
	var views []ruleView
	for _, r := range rules {
		views = append(views, ruleView{r})
	}
	return views
}

func (h *Handler) data(*http.Request) (any, error) {
	var p dataPage
	if h.Data == nil {
		return p, nil
	}
	sch := h.Data.Schema()
	p.Warnings = sch.Warnings
	for _, m := range sch.Models {
		v := modelView{m.Name, []guarded{{m.Name, viewsOf(m.Rules)}}}
		for _, f := range m.Fields {
			if f.Rules != nil {
				v.Guarded = append(v.Guarded, guarded{m.Name + "." + f.Name, viewsOf(f.Rules)})
			}
		}
		p.Models = append(p.Models, v)
	}
	for _, root := range []*ast.Definition{sch.API.Query, sch.API.Mutation, sch.API.Subscription} {
		if root == nil {
			continue
		}
		for _, f := range root.Fields {
			op := sch.Operation(ast.Operation(strings.ToLower(root.Name)), f.Name)
			if op != nil && op.Kind == schema.Custom {
				p.Operations = append(p.Operations,
					guarded{root.Name + "." + f.Name, viewsOf(op.Rules)})
			}
		}
	}
	return p, nil
}

// model returns the request's model.
func (h *Handler) model(name string) (*schema.Model, error) {
	if h.Data == nil {
		return nil, errNoModel
	}
	m := h.Data.Schema().Model(name)
	if m == nil {
		return nil, errNoModel
	}
	return m, nil
}

// errNoModel is the error of a model that the schema does not have.
var errNoModel = errors.New("there is no such model")

// itemsPage is a page of a model's items.
type itemsPage struct {
	Model  string
	Fields []string
	// Items are the values of the fields: JSON, or text as it is. What an item does not
	// have is "".
	Items [][]string
	// Next is the address of the next page, or "".
	Next string
}

func (h *Handler) items(r *http.Request) (any, error) {
	m, err := h.model(r.PathValue("model"))
	if err != nil {
		return nil, err
	}
	found, err := h.Data.Items(r.Context(), m, r.URL.Query().Get("after"), itemsOnPage)
	if err != nil {
		return nil, err
	}
	p := itemsPage{Model: m.Name, Fields: valueFields(m)}
	for _, item := range found.Items {
		var values []string
		for _, name := range p.Fields {
			values = append(values, valueText(item, name))
		}
		p.Items = append(p.Items, values)
	}
	if found.Token != "" {
		p.Next = "/console/data/" + m.Name + "?" + url.Values{"after": {found.Token}}.Encode()
	}
	return p, nil
}

// valueFields returns the fields that hold values: those of the key come first.
func valueFields(m *schema.Model) []string {
	names := m.Key.Fields()
	for _, f := range m.Fields {
		if f.Relation == nil && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

func valueText(item items.Item, name string) string {
	v, present := item[name]
	text, isText := v.(string)
	if present && !isText {
		// What an item holds came from JSON.
		encoded, _ := json.Marshal(v)
		text = string(encoded)
	}
	if characters := []rune(text); len(characters) > maxValue {
		text = string(characters[:maxValue]) + "…"
	}
	return text
}

// callers are those whom the page of queries offers beside the users.
var callers = []struct {
	Value, Name string
	caller      appsync.Caller
}{
	{"key", "API key", appsync.Caller{Identity: schema.Identity{Provider: schema.APIKey}}},
	{"guest", "Guest of the identity pool", appsync.Caller{
		Identity: schema.Identity{Provider: schema.IAM, IAM: schema.Guest},
		Known:    &function.Identity{CognitoIdentityAuthType: "unauthenticated"}}},
	{"identity", "Signed-in user of the identity pool", appsync.Caller{
		Identity: schema.Identity{Provider: schema.IAM, IAM: schema.SignedIn},
		Known:    &function.Identity{CognitoIdentityAuthType: "authenticated"}}},
	{"admin", "Administrator, by IAM", appsync.Caller{
		Identity: schema.Identity{Provider: schema.IAM, IAM: schema.Admin},
		Known:    &function.Identity{}}},
}

// The callers of the page of queries who are known by what they show: a user of the OIDC provider by
// claims, and one whom the authorizer lets in by a token.
const (
	oidcCaller   = "oidc"
	lambdaCaller = "lambda"
)

// queryPage is the form for a query.
type queryPage struct {
	Callers, Users []choice
	// Shows is set if there is a caller who is known by what they show.
	Shows bool
	// Document is the query to begin with. It is empty if there is no API.
	Document string
}

// choice is an option of a select element.
type choice struct{ Value, Name string }

func (h *Handler) query(r *http.Request) (any, error) {
	var p queryPage
	if h.Data == nil {
		return p, nil
	}
	for _, c := range callers {
		if h.Data.Has(c.caller.Identity.Provider) {
			p.Callers = append(p.Callers, choice{c.Value, c.Name})
		}
	}
	for _, c := range []struct {
		mode schema.Provider
		choice
	}{
		{schema.OIDC, choice{oidcCaller, "User of the OIDC provider, by claims"}},
		{schema.Function, choice{lambdaCaller, "Lambda authorizer, by a token"}},
	} {
		if h.Data.Has(c.mode) {
			p.Callers, p.Shows = append(p.Callers, c.choice), true
		}
	}
	if h.Data.Has(schema.UserPool) {
		users, err := h.Pool.Users(r.Context())
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			p.Users = append(p.Users, choice{u.Sub, displayName(u)})
		}
	}
	m := h.Data.Schema().Model(r.URL.Query().Get("model"))
	if models := h.Data.Schema().Models; m == nil && len(models) > 0 {
		m = models[0]
	}
	p.Document = exampleQuery(h.Data.Schema(), m)
	return p, nil
}

// exampleQuery returns a query that lists items of a model, or another one if there is no list.
func exampleQuery(sch *schema.Schema, m *schema.Model) string {
	if m == nil {
		return "query {\n  __typename\n}"
	}
	var fields []string
	for _, name := range valueFields(m) {
		kind := sch.API.Types[m.Field(name).Type.Name()]
		if kind != nil && kind.Kind != ast.Object {
			fields = append(fields, name)
		}
	}
	for _, op := range m.Operations {
		if op.Kind == schema.List {
			const query = "query {\n  %s {\n    items {\n      %s\n    }\n    nextToken\n  }\n}"
			return fmt.Sprintf(query, op.Name, strings.Join(fields, "\n      "))
		}
	}
	return exampleQuery(sch, nil)
}

// ask returns the answer to the query of a form, as formatted JSON.
func (h *Handler) ask(r *http.Request) (string, error) {
	if h.Data == nil {
		return "", errNoPage
	}
	request := map[string]any{"query": r.PostForm.Get("query")}
	if name := strings.TrimSpace(r.PostForm.Get("operation")); name != "" {
		request["operationName"] = name
	}
	if text := strings.TrimSpace(r.PostForm.Get("variables")); text != "" {
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &object) != nil || object == nil {
			return "", formError{`The variables are a JSON object such as {"id": "1"}.`}
		}
		request["variables"] = json.RawMessage(text)
	}
	body, err := json.Marshal(request)
	if err != nil {
		return "", err
	}
	answer, err := h.askAs(r.Context(), r.PostForm.Get("caller"),
		strings.TrimSpace(r.PostForm.Get("shows")), body)
	if err != nil {
		return "", err
	}
	var formatted bytes.Buffer
	err = json.Indent(&formatted, answer, "", "  ")
	return formatted.String(), err
}

// askAs returns the answer to a body that a caller sends, who is known by what they show if they are
// none of the others.
func (h *Handler) askAs(ctx context.Context, value, shows string, body []byte) ([]byte, error) {
	switch {
	case value == lambdaCaller && h.Data.Has(schema.Function):
		if shows == "" {
			return nil, formError{"Give the token that the authorizer decides about."}
		}
		return h.Data.AskAuthorizer(ctx, shows, body)
	case value == oidcCaller && h.Data.Has(schema.OIDC):
		var claims map[string]any
		if json.Unmarshal([]byte(shows), &claims) != nil || claims["sub"] == nil {
			return nil, formError{`The claims are a JSON object such as {"sub": "ann"}.`}
		}
		return h.Data.Ask(ctx, appsync.User(schema.OIDC, claims), body)
	}
	caller, err := h.caller(ctx, value)
	if err != nil {
		return nil, err
	}
	return h.Data.Ask(ctx, caller, body)
}

// caller returns who asks: one of [callers], or the user with a sub.
func (h *Handler) caller(ctx context.Context, value string) (*appsync.Caller, error) {
	unknown := formError{"Choose who asks."}
	for _, c := range callers {
		if c.Value != value {
			continue
		}
		if !h.Data.Has(c.caller.Identity.Provider) {
			return nil, unknown
		}
		return &c.caller, nil
	}
	clients := h.Pool.Config().Clients
	if value == "" || !h.Data.Has(schema.UserPool) || len(clients) == 0 {
		return nil, unknown
	}
	claims, err := h.Pool.AccessClaims(ctx, clients[0].ID, value)
	if userpool.CodeOf(err) == userpool.UserNotFound {
		return nil, unknown
	} else if err != nil {
		return nil, err
	}
	return appsync.User(schema.UserPool, claims), nil
}

// answer serves a form whose answer is shown on its own page, with what was typed.
func (h *Handler) answer(p page, do func(*http.Request) (string, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := ui.CheckForm(w, r); err != nil {
			h.fail(w, r, err)
			return
		}
		answer, err := do(r)
		if err != nil {
			h.refuse(w, r, p, err)
			return
		}
		h.show(w, r, http.StatusOK, p, view{typed: r.PostForm, Answer: answer})
	})
}
