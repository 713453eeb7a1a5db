package flow

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/flowtest"
)

const (
	testClient = flowtest.Client
	testPrefix = flowtest.Prefix
)

var (
	request, serve, setCookies, bodyTargets = flowtest.Request, flowtest.Serve, flowtest.SetCookies, flowtest.BodyTargets
	navigation, fetched, fromAfar           = flowtest.Navigation, flowtest.Fetched, flowtest.FromAfar
)

// fixture is a runner on a backend of the tests.
type fixture struct {
	*Runner
	backend  *flowtest.Backend
	upstream *conformance.Upstream
}

// newFixture returns a runner. change may alter its configuration and options.
func newFixture(t testing.TB, answers map[string][]conformance.Answer, change func(*amplify.Config, *Options)) *fixture {
	t.Helper()
	b := flowtest.New(t, answers)
	o := Options{Origin: flowtest.Origin, App: b.App}
	if change != nil {
		change(&b.Config, &o)
	}
	runner, err := New(b.Config, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runner.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &fixture{runner, b, b.Upstream}
}

// adapter is the smallest adapter there can be: one answer, one header.
func (f *fixture) adapter(answer func(*Exchange, *http.Request) *Response) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var x Exchange
		f.Begin(&x, r)
		a := answer(&x, r)
		for key, lines := range a.Header {
			w.Header()[key] = lines
		}
		x.Commit(w.Header())
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body)
	})
}

// routes returns the auth routes behind the adapter.
func (f *fixture) routes(t testing.TB, o RoutesOptions) http.Handler {
	t.Helper()
	routes, err := f.Routes(o)
	if err != nil {
		t.Fatal(err)
	}
	return f.adapter(routes.Answer)
}

// guarded returns a page of 204 behind a guard and the adapter.
func (f *fixture) guarded(g *Guard, err error) http.Handler {
	if err != nil {
		panic(err)
	}
	return f.adapter(func(x *Exchange, r *http.Request) *Response {
		if !g.Excepts(r) {
			if err := g.Check(x, r); err != nil {
				return g.Deny(x, r, err)
			}
		}
		return &Response{Status: http.StatusNoContent}
	})
}

// bodyOf reads the body of a response.
func bodyOf(t *testing.T, w *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// signInURL returns the link of a page to managed login.
func (f *fixture) signInURL(r *http.Request, link SignInLink) string {
	var x Exchange
	f.Begin(&x, r)
	return x.SignInURL(r, link)
}

// page returns a page that says who is signed in, in a header.
func (f *fixture) page() http.Handler {
	return f.adapter(func(x *Exchange, r *http.Request) *Response {
		user, err := amplify.RunWithServerContext(r.Context(), f.App(), x.Providers(), auth.GetCurrentUser)
		if err != nil {
			return &Response{Status: http.StatusUnauthorized}
		}
		return &Response{Status: http.StatusOK, Header: http.Header{"X-User": {user.Username}}}
	})
}

// read returns the cookies of the session that a response sets, and its body.
func read(t *testing.T, w *http.Response) (session []string, body string) {
	t.Helper()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range setCookies(w.Header["Set-Cookie"]) {
		if strings.HasPrefix(name, testPrefix) && c["value"] != "" {
			session = append(session, name)
		}
	}
	return session, string(b)
}
