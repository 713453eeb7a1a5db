package amplifyhttp

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/auth"
)

// TestCaching: what depends on a session must not reach another user from a shared cache.
func TestCaching(t *testing.T) {
	read := func(r *http.Request) { _, _ = auth.GetCurrentUser(r.Context()) }
	public := map[string]string{"Cache-Control": "public, max-age=60", "CDN-Cache-Control": "max-age=60", "Surrogate-Control": "max-age=60", "Vary": "Accept"}
	for name, tt := range map[string]struct {
		handler func(http.ResponseWriter, *http.Request)
		life    time.Duration // of the session; expired ones are refreshed
		want    map[string]string
	}{
		"session not read": {func(w http.ResponseWriter, r *http.Request) {}, time.Hour, map[string]string{"Cache-Control": "private, no-cache"}},
		"session not read, public": {func(w http.ResponseWriter, r *http.Request) { set(w, public) }, time.Hour,
			map[string]string{"Cache-Control": "public, max-age=60", "Cdn-Cache-Control": "max-age=60", "Surrogate-Control": "max-age=60", "Vary": "Accept"}},
		"read": {func(w http.ResponseWriter, r *http.Request) { read(r) }, time.Hour, map[string]string{"Cache-Control": private}},
		"read, the handler has decided": {func(w http.ResponseWriter, r *http.Request) { read(r); set(w, public) }, time.Hour,
			map[string]string{"Cache-Control": "public, max-age=60", "Cdn-Cache-Control": "max-age=60", "Surrogate-Control": "max-age=60", "Vary": "Accept"}},
		"read, decided before": {func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Cache-Control", "no-cache"); read(r) }, time.Hour,
			map[string]string{"Cache-Control": "no-cache"}},
		"written": {func(w http.ResponseWriter, r *http.Request) { read(r) }, -time.Minute,
			map[string]string{"Cache-Control": private, "Vary": "Cookie"}},
		"written, the handler has decided": {func(w http.ResponseWriter, r *http.Request) { set(w, public); read(r) }, -time.Minute,
			map[string]string{"Cache-Control": private, "Vary": "Accept"}},
		"written, Vary there": {func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Vary", "Accept, cookie"); read(r) }, -time.Minute,
			map[string]string{"Cache-Control": private, "Vary": "Accept, cookie"}},
		"written, Vary on everything": {func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Vary", "*"); read(r) }, -time.Minute,
			map[string]string{"Cache-Control": private, "Vary": "*"}},
	} {
		f := newFixture(t, nil, nil)
		f = newFixture(t, f.backend.Refreshed("alice"), nil)
		w := serve(f.Middleware(http.HandlerFunc(tt.handler)), request("/", f.backend.Session("alice", tt.life, nil)))
		got := map[string]string{}
		for key := range w.Header {
			if key != "Set-Cookie" {
				got[key] = w.Header.Get(key)
			}
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
		if name == "written, the handler has decided" && !cmp.Equal(w.Header["Vary"], []string{"Accept", "Cookie"}) {
			t.Errorf("Vary %v", w.Header["Vary"])
		}
	}
}

func set(w http.ResponseWriter, headers map[string]string) {
	for key, value := range headers {
		w.Header().Set(key, value)
	}
}
