package data_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
)

// TestEscapedSecrets: a secret is taken out of errors in every spelling of JSON, without its scheme,
// and where a decoder or a header repeats it.
func TestEscapedSecrets(t *testing.T) {
	const token = `tok/en+of"the\call<é>`
	everyEscaped := ""
	for _, r := range token {
		everyEscaped += fmt.Sprintf(`\u%04X`, r)
	}
	plain, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	quoted := strings.Trim(string(plain), `"`)
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"escaped":      {200, `{"errors":[{"message":"bad ` + everyEscaped + `","errorInfo":["` + everyEscaped + `"]}]}`},
		"as Go has it": {200, `{"errors":[{"message":"` + quoted + `","extensions":{"` + quoted + `":1}}]}`},
		"slashes":      {401, `{"message":"` + strings.ReplaceAll(quoted, "/", `\/`) + `"}`},
		"in the data":  {200, `{"data":{"at":"` + everyEscaped + `"}}`},
		"in a header":  {400, `{}`},
	} {
		app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
			resp := response(r, c.status, strings.NewReader(c.body))
			resp.Header.Set("X-Amzn-Requestid", r.Header.Get("Authorization"))
			return resp, nil
		}))
		o := data.Options{AuthMode: data.AuthLambda, AuthToken: amplify.NewSecret("Bearer " + token)}
		_, err := data.GraphQL[struct{ At data.Date }](as(t, app, "alice"), data.Request{Query: query, Options: o})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		text := fmt.Sprintf("%v %+v", err, err)
		var e *amplify.Error
		if errors.As(err, &e) {
			text += e.Message + e.RequestID
		}
		var all data.GraphQLErrors
		if errors.As(err, &all) {
			for _, one := range all {
				text += one.Message + string(one.ErrorInfo) + string(one.Extensions)
			}
		}
		for _, part := range []string{token, "tok/en", quoted, everyEscaped} {
			if strings.Contains(text, part) {
				t.Errorf("%s: the error is %s", name, text)
			}
		}
	}
}

// TestErrorsAreBounded: of an answer that is full of errors, so many are kept.
func TestErrorsAreBounded(t *testing.T) {
	body := `{"errors":[` + strings.TrimSuffix(strings.Repeat("1,", 4_000_000), ",") + `]}`
	ctx := as(t, newApp(t, answering(200, body)), "alice")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := send(ctx, query, data.Options{})
	runtime.ReadMemStats(&after)
	var all data.GraphQLErrors
	if !errors.As(err, &all) || len(all) != data.MaxErrors {
		t.Errorf("%d errors", len(all))
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 100<<20 {
		t.Errorf("it took %d MiB", took>>20)
	}
}

// TestHeadersOfTheConnection: headers that do not belong to a call are refused.
func TestHeadersOfTheConnection(t *testing.T) {
	for _, name := range []string{
		"Host", "connection", "Content-Length", "Transfer-Encoding", "Trailer", "TE", "Upgrade", "Keep-Alive",
		"Proxy-Connection", "accept-encoding", "Content-Encoding", "Expect",
	} {
		got, err := send(as(t, newApp(t, echo), "alice"), query, data.Options{Headers: http.Header{name: {"x-api-key"}}})
		if amplify.ReasonOf(err) != amplify.ReasonInvalidRequest {
			t.Errorf("%s: sent %s, %v", name, got, err)
		}
	}
}

// TestOptionsAreCopied: what a caller does to its map later changes no kept options.
func TestOptionsAreCopied(t *testing.T) {
	h := http.Header{"X-C-X": {"before"}}
	app := configured(t, data.Options{Headers: h})
	d := deploy(t)
	coupons, err := data.DynamicModelOf(d.app, "Coupon", "code")
	if err != nil {
		t.Fatal(err)
	}
	coupons = coupons.With(data.Options{Headers: h})
	h.Set("X-C-X", "after")
	h["X-C-X"][0] = "later"
	if got := sent(t, app, data.Options{}); !strings.Contains(got, "x=before") {
		t.Errorf("of the App: sent %s", got)
	}
	d.answer(`{"listCoupons":{"items":[]}}`)
	if _, err := coupons.List(d.context(nil), data.ListInput{}); err != nil || d.requests[0].Header.Get("X-C-X") != "before" {
		t.Errorf("of the model: sent %v, %v", d.requests, err)
	}
}

// user is who is signed in at the moment.
type user struct {
	name  *string
	after func() // is called when the credentials have been told
}

func (u user) Tokens(ctx context.Context, in amplify.TokensInput) (*amplify.Tokens, error) {
	defer u.after()
	return caller(*u.name).Tokens(ctx, in)
}

func (u user) Credentials(ctx context.Context, in amplify.CredentialsInput) (*amplify.Credentials, error) {
	c, err := caller(*u.name).Credentials(ctx, in)
	if in.ForceRefresh {
		c.AccessKeyID += "renewed"
		u.after()
	}
	return c, err
}

// TestListAllEndsWithTheSession: a list that began as one user does not go on as another.
func TestListAllEndsWithTheSession(t *testing.T) {
	d := deploy(t)
	coupons, err := data.DynamicModelOf(d.app, "Coupon", "code")
	if err != nil {
		t.Fatal(err)
	}
	ended := amplify.Unauthenticated(amplify.ReasonSignedOut, nil)
	life, end := context.WithCancelCause(t.Context())
	defer end(nil)
	session := &keeper{life}
	d.answer(`{"listCoupons":{"items":[{"code":"A"}],"nextToken":"again"}}`)
	ctx, done := amplify.WithServerContext(t.Context(), d.app, amplify.Providers{Session: session})
	defer done()
	n := 0
	for _, err = range coupons.ListAll(ctx, data.ListInput{}) {
		if n++; n == 1 {
			session.life = t.Context() // of another user
			end(ended)
		}
		if n == 5 {
			break
		}
	}
	if n != 2 || !errors.Is(err, ended) {
		t.Errorf("%v after %d", err, n)
	}
}

// TestSessionChangesBeforeTheCall: nothing is sent for a session that has given way to another
// while the call asked who is calling.
func TestSessionChangesBeforeTheCall(t *testing.T) {
	ended := amplify.Unauthenticated(amplify.ReasonSignedOut, nil)
	for mode, want := range map[data.AuthMode]int{data.AuthUserPool: 0, data.AuthIdentityPool: 1} {
		name, sent := "alice", 0
		life, end := context.WithCancelCause(t.Context())
		app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
			sent++
			name = "bob"
			return response(r, 403, strings.NewReader(`{"errors":[{"errorType":"ExpiredTokenException"}]}`)), nil
		}))
		u := user{&name, func() { end(ended) }}
		ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{Tokens: u, Credentials: u, Session: keeper{life}})
		if _, err := send(ctx, mutation, data.Options{AuthMode: mode}); !errors.Is(err, ended) || sent != want {
			t.Errorf("%s: sent %d times, %v", mode, sent, err)
		}
		done()
	}
}

// TestExpiredCredentials: a call whose credentials have expired is sent once more with new ones.
func TestExpiredCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		body    string
		renewed int // the status with new credentials
		mode    data.AuthMode
		sent    int
		fails   bool
	}{
		"AppSync":       {403, `{"errors":[{"errorType":"ExpiredTokenException","message":"m"}]}`, 200, data.AuthIdentityPool, 2, false},
		"API Gateway":   {403, `{"__type":"ExpiredTokenException"}`, 200, data.AuthIdentityPool, 2, false},
		"again":         {403, `{"code":"ExpiredToken"}`, 403, data.AuthIdentityPool, 2, true},
		"another fault": {403, `{"code":"AccessDeniedException"}`, 200, data.AuthIdentityPool, 1, true},
		"no signature":  {403, `{"code":"ExpiredTokenException"}`, 200, data.AuthUserPool, 1, true},
	} {
		alice, sent := "alice", 0
		u := user{&alice, func() {}}
		app := newApp(t, api(func(r *http.Request) (*http.Response, error) {
			sent++
			if strings.Contains(r.Header.Get("Authorization"), "ASIAalicerenewed/") && c.renewed == 200 {
				return response(r, 200, strings.NewReader(`{"data":{"y":1}}`)), nil
			}
			return response(r, c.status, strings.NewReader(c.body)), nil
		}))
		ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{Tokens: u, Credentials: u})
		if _, err := send(ctx, mutation, data.Options{AuthMode: c.mode}); (err != nil) != c.fails || sent != c.sent {
			t.Errorf("%s: sent %d times, %v", name, sent, err)
		}
		done()
	}
}

// TestLargeDocuments: a document has a bound, since its parser recurses.
func TestLargeDocuments(t *testing.T) {
	ctx := as(t, newApp(t, answering(200, `{"data":{}}`)), "alice")
	if _, err := send(ctx, "{"+strings.Repeat(" x", 50_000)+"}", data.Options{}); err != nil {
		t.Error(err)
	}
	for _, document := range []string{"{" + strings.Repeat(" x", 200_000) + "}", strings.Repeat("{x", 2_000_000)} {
		if _, err := send(ctx, document, data.Options{}); amplify.ReasonOf(err) != amplify.ReasonInvalidRequest {
			t.Errorf("%.20s: %v", document, err)
		}
	}
}

// TestSlowMutation: a mutation may take as long as AppSync lets it, with the client that an App has
// by default.
func TestSlowMutation(t *testing.T) {
	app, err := amplify.New(amplify.Config{Data: config()}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.Close(t.Context()) }()
	transport, ok := app.HTTPClient().Transport.(*http.Transport)
	if !ok || transport.ResponseHeaderTimeout <= data.AttemptTimeout || app.HTTPClient().Timeout != 0 {
		t.Errorf("the client is %+v", app.HTTPClient())
	}
}

// TestChooseForAnotherApp: the session of one App says nothing about the rules of another.
func TestChooseForAnotherApp(t *testing.T) {
	coupons, err := data.DynamicModelOf(deploy(t).app, "Coupon", "code")
	if err != nil {
		t.Fatal(err)
	}
	choice, err := coupons.ChooseAuthMode(as(t, newApp(t, echo), "alice"), data.ActionList)
	if amplify.ReasonOf(err) != amplify.ReasonConfiguration || !strings.Contains(err.Error(), "another App") {
		t.Errorf("chose %v, %v", choice, err)
	}
}
