package amplifyhttp

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/cookie/cookietest"
)

// TestStore tests the exchange as a cookie store: with a writer of its own, as in Middleware, and
// without one, as in RunWithServerContext.
func TestStore(t *testing.T) {
	f := newFixture(t, nil, nil)
	open := func(lines []string, watch bool) (*exchange, *httptest.ResponseRecorder) {
		r, w := request("/", ""), httptest.NewRecorder()
		if lines != nil {
			r.Header["Cookie"] = lines
		}
		return f.newExchange(w, r, watch), w
	}
	t.Run("with a writer", func(t *testing.T) {
		cookietest.Run(t, func(_ *testing.T, lines []string) cookietest.Exchange {
			x, w := open(lines, true)
			return cookietest.Exchange{
				Store:     x,
				End:       func() { x.writer.WriteHeader(http.StatusOK) },
				SetCookie: func() []string { return w.Result().Header["Set-Cookie"] },
			}
		})
	})
	t.Run("on the response", func(t *testing.T) {
		cookietest.Run(t, func(_ *testing.T, lines []string) cookietest.Exchange {
			x, w := open(lines, false)
			return cookietest.Exchange{
				Store:     x,
				End:       func() { x.commit(x.header) },
				SetCookie: func() []string { return w.Result().Header["Set-Cookie"] },
			}
		})
	})
}

// TestOperationsOnOneResponse: a second operation on a response reads what the first has written.
func TestOperationsOnOneResponse(t *testing.T) {
	f := newFixture(t, nil, nil)
	w, r := httptest.NewRecorder(), request("/", testPrefix+"LastAuthUser=alice")
	first := f.newExchange(w, r, false).sessionStorage()
	if err := first.Set(testPrefix+"LastAuthUser", "bob"); err != nil {
		t.Fatal(err)
	}
	for _, kv := range []*cookie.KeyValueStorage{first, f.newExchange(w, r, false).sessionStorage()} {
		for key, value := range kv.All(testPrefix) {
			if value != "bob" {
				t.Errorf("%s is %q", key, value)
			}
		}
	}
}
