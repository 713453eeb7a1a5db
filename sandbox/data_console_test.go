package sandbox_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/function"
)

// console is a browser that shows the console.
type console struct {
	*http.Client
	t    *testing.T
	base string
}

func openConsole(t *testing.T, s *sandbox.Sandbox) *console {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &console{&http.Client{Jar: jar}, t, s.URL()}
}

func (c *console) read(r *http.Request, wantStatus int) string {
	c.t.Helper()
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, cookie := range c.Jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	response, page := do(c.t, http.DefaultTransport, r)
	c.Jar.SetCookies(r.URL, response.Cookies())
	if response.StatusCode != wantStatus {
		c.t.Fatalf("%s: %s\n%s", r.URL, response.Status, page)
	}
	if strings.Contains(page, "<script") {
		c.t.Errorf("%s has a script", r.URL)
	}
	return page
}

// get returns a page.
func (c *console) get(path string, wantStatus int) string {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.base+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.read(r, wantStatus)
}

var (
	formToken  = regexp.MustCompile(`name="csrf" value="([^"]*)"`)
	answerText = regexp.MustCompile(`(?s)<pre[^>]*>(.*?)</pre>`)
)

// post submits the form of queries with these fields and the token of the page.
func (c *console) post(form url.Values, wantStatus int) string {
	c.t.Helper()
	form.Set("csrf", formToken.FindStringSubmatch(c.get("/console/query", http.StatusOK))[1])
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.base+"/console/query",
		strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.read(r, wantStatus)
}

// ask returns the answer to a query that the caller with this name on the page asks.
func (c *console) ask(caller, query, variables string) string {
	c.t.Helper()
	option := regexp.MustCompile(
		`<option value="([^"]*)"[^>]*>` + regexp.QuoteMeta(caller) + `</option>`)
	found := option.FindStringSubmatch(c.get("/console/query", http.StatusOK))
	if found == nil {
		c.t.Fatalf("the page does not offer %q", caller)
	}
	page := c.post(url.Values{"caller": {found[1]}, "query": {query}, "variables": {variables}},
		http.StatusOK)
	if !strings.Contains(page, `value="`+found[1]+`" selected`) {
		c.t.Errorf("the page forgets that %s asked", caller)
	}
	answer := answerText.FindStringSubmatch(page)
	if answer == nil {
		c.t.Fatalf("no answer in\n%s", page)
	}
	return html.UnescapeString(answer[1])
}

// TestDataConsoleQuery: a query is answered as the API would answer who is chosen.
func TestDataConsoleQuery(t *testing.T) {
	c := openConsole(t, startBackend(t, func(c *sandbox.Config) {
		who := map[string]function.Handler{"Query.who": dataFunctions["Query.who"]}
		c.Data = sandbox.Data{Functions: who, Schema: noteSchema + `
			type Query { who: AWSJSON @function(name: "who")
				@auth(rules: [{allow: private}, {allow: public, provider: iam}]) }
			type Wall @model @auth(rules: [{allow: public, provider: iam, operations: [read]},
				{allow: private, provider: iam}]) { text: String }
			type Board @model @auth(rules: [{allow: groups, groups: ["editors"]}]) {
				text: String
			}`}
	}).Sandbox)
	const create = `mutation Create($text: String) {
		createDiary(input: {id: "d", text: $text}) { text }
	}`
	want := "{\n  \"data\": {\n    \"createDiary\": {\n      \"text\": \"<b>\"\n    }\n  }\n}"
	if got := c.ask("ann@example.com", create, `{"text": "<b>"}`); got != want {
		t.Errorf("a mutation: %s", got)
	}
	const (
		text         = `"text": "<b>"`
		unauthorized = `"errorType": "Unauthorized"`
		guest        = "Guest of the identity pool"
		signedIn     = "Signed-in user of the identity pool"
		admin        = "Administrator, by IAM"
		diary        = `{ getDiary(id: "d") { text } }`
		wall         = `{ listWalls { items { text } } }`
		build        = `mutation { createWall(input: {text: "w"}) { text } }`
		board        = `{ listBoards { items { text } } }`
	)
	for _, tt := range []struct{ caller, query, want string }{
		{"ann@example.com", diary, text},
		{"bob@example.com", diary, unauthorized},
		{"API key", diary, unauthorized},
		{guest, diary, unauthorized},
		{signedIn, diary, unauthorized},
		{admin, diary, text},
		{guest, wall, `"items": []`},
		{guest, build, unauthorized},
		{signedIn, build, `"text": "w"`},
		{"API key", wall, unauthorized},
		{"ann@example.com", board, `"items": []`}, // an editor
		{"bob@example.com", board, unauthorized},
		{"ann@example.com", "{ who }", `\"username\":`},
		{guest, "{ who }", `unauthenticated`},
		{"API key", "{", "MalformedHttpRequestException"},
		{"API key", "{ none }", "FieldUndefined"},
	} {
		if got := c.ask(tt.caller, tt.query, ""); !strings.Contains(got, tt.want) {
			t.Errorf("%s asks %s: %s", tt.caller, tt.query, got)
		}
	}

	query := url.Values{"caller": {"key"}, "query": {"{ who }"}}
	for name, tt := range map[string]struct{ field, value, want string }{
		"variables that are no JSON":   {"variables", "<i>", "The variables are a JSON object"},
		"variables that are no object": {"variables", "[1]", "The variables are a JSON object"},
		"variables that are null":      {"variables", "null", "The variables are a JSON object"},
		"nobody":                       {"caller", "", "Choose who asks."},
		"a user who does not exist":    {"caller", "somebody", "Choose who asks."},
	} {
		form := url.Values{"caller": query["caller"], "query": query["query"]}
		form.Set(tt.field, tt.value)
		page := c.post(form, http.StatusUnprocessableEntity)
		if !strings.Contains(page, tt.want) || !strings.Contains(page, "{ who }</textarea>") ||
			strings.Contains(page, "<i>") {
			t.Errorf("%s: %s", name, page)
		}
	}
	page := c.get("/console/query?model=Wall", http.StatusOK)
	if !strings.Contains(page, "listWalls") {
		t.Errorf("the query to begin with: %s", page)
	}
}

// TestDataConsoleShownCallers: callers by claims and by tokens, and one of several operations.
func TestDataConsoleShownCallers(t *testing.T) {
	c := openConsole(t, startData(t, "http://127.0.0.1:1").Sandbox)
	for name, tt := range map[string]struct {
		form   url.Values
		status int
		want   string
	}{
		"claims": {url.Values{"caller": {"oidc"}, "shows": {`{"sub": "<o>"}`}}, 200, `\"sub\":\"<o>\"`},
		"a token": {url.Values{"caller": {"lambda"}, "shows": {"let-me-in"}}, 200,
			`\"resolverContext\"`},
		"a token that the authorizer refuses": {url.Values{"caller": {"lambda"}, "shows": {"x"}}, 200,
			"You are not authorized to make this call."},
		"no token": {url.Values{"caller": {"lambda"}}, 422, "Give the token"},
		"no claims": {url.Values{"caller": {"oidc"}, "shows": {"[]"}}, 422,
			"The claims are a JSON object"},
		"nobody's claims": {url.Values{"caller": {"oidc"}, "shows": {"{}"}}, 422,
			"The claims are a JSON object"},
		"the other operation": {url.Values{"caller": {"key"}, "operation": {"B"}}, 200,
			`"__typename": "Query"`},
		"none of the operations": {url.Values{"caller": {"key"}, "operation": {"C"}}, 200,
			"Unknown operation named 'C'."},
	} {
		tt.form.Set("query", "query B { __typename } query A { who }")
		if !tt.form.Has("operation") {
			tt.form.Set("operation", "A")
		}
		page := html.UnescapeString(c.post(tt.form, tt.status))
		if !strings.Contains(page, tt.want) {
			t.Errorf("%s: %s", name, page)
		}
	}
}

// TestDataConsoleForms: only forms of the console reach the API, and only callers whom it knows.
func TestDataConsoleForms(t *testing.T) {
	const host = "abcdefghijklmnopqrstuvwxyz.appsync-api.us-east-1.amazonaws.com"
	const outputs = `{"version": "1.4",
		"auth": {"aws_region": "us-east-1", "user_pool_id": "us-east-1_AbCdEfGhI",
			"user_pool_client_id": "1example23456789", "username_attributes": ["email"]},
		"data": {"url": "https://` + host + `/graphql", "aws_region": "us-east-1",
			"default_authorization_type": "AMAZON_COGNITO_USER_POOLS", "authorization_types": []}}`
	b := startBackend(t, func(c *sandbox.Config) {
		c.Outputs = []byte(outputs)
		c.Data.Schema = `type Note @model @auth(rules: [{allow: private}]) { text: String }`
	})
	c := openConsole(t, b.Sandbox)
	page := c.get("/console/query", http.StatusOK)
	for _, caller := range []string{"key", "guest", "identity", "admin", "oidc", "lambda"} {
		if strings.Contains(page, `value="`+caller+`"`) {
			t.Errorf("the page offers %q, which is no caller of this API", caller)
		}
		form := url.Values{"caller": {caller}, "query": {"{ listNotes { items { id } } }"}}
		page := c.post(form, http.StatusUnprocessableEntity)
		if !strings.Contains(page, "Choose who asks.") {
			t.Errorf("%q asks: %s", caller, page)
		}
	}
	sub := regexp.MustCompile(`<option value="([^"]{36})"`).FindStringSubmatch(page)[1]
	form := url.Values{"caller": {sub},
		"query": {`mutation { createNote(input: {text: "forged"}) { id } }`}}
	header := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	response, _ := call(t, "POST", b.URL()+"/console/query", form.Encode(), header)
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("a form without the token: %s", response.Status)
	}
	if page := c.get("/console/data/Note", http.StatusOK); strings.Contains(page, "forged") {
		t.Error("the form without the token has an effect")
	}
	header["Host"] = host
	for _, path := range []string{"/console/data", "/console/data/Note", "/console/query"} {
		if r, _ := call(t, "GET", b.URL()+path, "", header); r.StatusCode == 200 {
			t.Errorf("%s is there under AWS's name", path)
		}
	}
}

// TestDataConsoleItems: the pages of a table show all items, whoever owns them.
func TestDataConsoleItems(t *testing.T) {
	c := openConsole(t, startBackend(t, func(c *sandbox.Config) {
		c.Data.Schema = noteSchema + `type Many @model @auth(rules: [{allow: owner}]) {
			id: ID!
			tags: [String]
			notes: [Note] @hasMany
		}`
	}).Sandbox)
	const hostile = `"><script>alert(1)</script>`
	var mutation strings.Builder
	for i := range 101 {
		const create = "m%d: createMany(input: {id: \"item-%03d\", tags: [\"a\", null]}) { id }\n"
		fmt.Fprintf(&mutation, create, i, i)
	}
	got := c.ask("ann@example.com", "mutation {\n"+mutation.String()+"}", "")
	if strings.Contains(got, "errors") {
		t.Fatal(got)
	}
	c.ask("API key", `mutation ($t: String) { createNote(input: {text: $t}) { id } }`,
		fmt.Sprintf(`{"t": %q}`, hostile+strings.Repeat("é", 300)))

	if page := c.get("/console/data/Note", http.StatusOK); !strings.Contains(page,
		html.EscapeString(hostile)) || !strings.Contains(page, "é…<") {
		t.Errorf("an item: %s", page)
	}
	if page := c.get("/console/data/Diary", http.StatusOK); !strings.Contains(page, "No items") {
		t.Errorf("an empty table: %s", page)
	}
	first := c.get("/console/data/Many", http.StatusOK)
	for _, want := range []string{`>tags</th>`, `>owner</th>`, `[&#34;a&#34;,null]`, "::"} {
		if !strings.Contains(first, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(first, ">notes</th>") {
		t.Error("a relation is no value")
	}
	next := regexp.MustCompile(`href="([^"]*after=[^"]*)"`).FindStringSubmatch(first)
	if next == nil {
		t.Fatal("there is no second page")
	}
	second := c.get(html.UnescapeString(next[1]), http.StatusOK)
	for i := range 101 {
		id := fmt.Sprintf(">item-%03d<", i)
		if strings.Contains(first, id) == strings.Contains(second, id) {
			t.Errorf("%s is on both pages or on none", id)
		}
	}
	c.get("/console/data/None", http.StatusNotFound)
	c.get("/console/data/Note?after=nothing", http.StatusNotFound)
}

// TestDataConsoleRules: the page of rules says who may do what.
func TestDataConsoleRules(t *testing.T) {
	c := openConsole(t, startBackend(t, func(c *sandbox.Config) {
		c.Data.OIDC.Issuer = "http://127.0.0.1:1"
		c.Data.Schema = `
			type Open @model @auth(rules: [{allow: public},
				{allow: custom, operations: [get, listen]},
				{allow: public, provider: identityPool, operations: [read, create]},
				{allow: private, operations: [list]},
				{allow: private, provider: iam, operations: [update]},
				{allow: private, provider: oidc, operations: [delete]}]) {
				text: String
				secret: String @auth(rules: [{allow: owner, operations: [read]}])
			}
			type Owned @model @auth(rules: [{allow: owner}, {allow: owner, ownerField: "mail",
				identityClaim: "email"}, {allow: groups, groups: ["a", "b"], groupClaim: "roles"},
				{allow: groups, groupsField: "teams", operations: [read]},
				{allow: owner, provider: oidc, ownerField: "writer"}]) { mail: String }
			type Bare @model { text: String }
			type Query { echo: String @function(name: "echo") @auth(rules: [{allow: public}]) }`
		c.Data.Authorizer = func(context.Context, function.AuthorizerRequest) (
			function.AuthorizerResponse, error) {
			return function.AuthorizerResponse{}, nil
		}
	}).Sandbox)
	page := html.UnescapeString(c.get("/console/data", http.StatusOK))
	const all = "create, update, delete, read"
	for _, want := range []string{
		"the API key: " + all, "whom the Lambda authorizer lets in: get, listen",
		"guests of the identity pool: create, read", "signed-in users: list",
		"signed-in users of the identity pool: update", "users of the OIDC provider: delete",
		"<code>Open.secret</code>", "the owner in the field owner: read",
		"the owner in the field owner: " + all,
		"the owner in the field mail, by the claim email: " + all,
		"group a, group b, by the claim roles: " + all, "the groups in the field teams: read",
		"the owner in the field writer, of the OIDC provider: " + all,
		"the model Bare has no rules", `<span class="muted">nobody</span>`,
		"<code>Query.echo</code>", `>the API key</td>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

// TestDataConsoleWithoutSchema: the pages say how to get a GraphQL API.
func TestDataConsoleWithoutSchema(t *testing.T) {
	c := openConsole(t, startBackend(t, nil).Sandbox)
	for _, path := range []string{"/console/data", "/console/query"} {
		page := c.get(path, http.StatusOK)
		if !strings.Contains(page, "amplify-go sandbox --schema") {
			t.Errorf("%s: %s", path, page)
		}
	}
	c.get("/console/data/Note", http.StatusNotFound)
}
