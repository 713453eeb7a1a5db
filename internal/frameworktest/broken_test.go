package frameworktest

import (
	"fmt"
	"net/http"
	"testing"
)

// TestWhole: the application that TestBroken breaks is accepted.
func TestWhole(t *testing.T) { Run(t, broken(func(*parts) {})) }

// TestBroken: each check refuses applications that are broken in what it is there for.
func TestBroken(t *testing.T) {
	t.Setenv("AMPLIFY_APP_ORIGIN", "")
	proven := map[string]bool{}
	for _, test := range []struct {
		check, flaw string
		build       func(*parts)
	}{
		{"anonymous", "no guard", func(p *parts) { p.user = unchanged }},
		{"anonymous", "a guard of pages before JSON", func(p *parts) { p.user = p.page }},
		{"signed in", "a guard without the group", func(p *parts) { p.admin = p.user }},
		{"signed in", "names are not escaped", func(p *parts) {
			p.greet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = fmt.Fprintf(w, "Hello, %s!", nameOf(r.Context()))
			})
		}},
		{"signed in", "pages may be kept", without("Cache-Control")},
		{"sessions that are refused", "a guard that is content with a cookie", func(p *parts) {
			guard := p.user
			p.user = func(next http.Handler) http.Handler {
				hasCookie := func(r *http.Request) bool { return r.Header["Cookie"] != nil }
				return branch(hasCookie, next, guard(next))
			}
		}},
		{"refresh", "no cookies", without("Set-Cookie")},
		{"refresh", "the last cookie alone", changing(func(status int, h http.Header) int {
			if lines := h["Set-Cookie"]; lines != nil {
				h["Set-Cookie"] = lines[len(lines)-1:]
			}
			return status
		})},
		{"refresh", "a cookie twice", changing(func(status int, h http.Header) int {
			h["Set-Cookie"] = append(h["Set-Cookie"], h["Set-Cookie"]...)
			return status
		})},
		{"refresh", "the header before the user", func(p *parts) {
			greet := p.greet
			p.greet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusOK)
				greet.ServeHTTP(w, r)
			})
		}},
		{"refresh", "no middleware of the runner", func(p *parts) { p.middleware = unchanged }},
		{"outage", "users are signed out", changing(func(status int, _ http.Header) int {
			if status == http.StatusServiceUnavailable {
				return http.StatusUnauthorized
			}
			return status
		})},
		{"outage", "nobody is told when to come back", without("Retry-After")},
		{"managed login", "no auth routes", func(p *parts) { p.routes = http.NotFoundHandler() }},
		{"stream", "no flushes", writing(func(w http.ResponseWriter) http.ResponseWriter {
			return hidden{w}
		})},
		{"stream", "empty flushes", writing(func(w http.ResponseWriter) http.ResponseWriter {
			return lazy{hidden{w}}
		})},
		{"stream that outlives its session", "events bypass the runner", bypass},
		{"hang-up in mid-stream", "everybody is the first user", firstUser},
		{"refresh that ends after its request", "cookies in the next answer", nextAnswer},
		{"two users at once", "everybody is the first user", firstUser},
		{"unusual paths", "guards before the path is cleaned", func(p *parts) {
			guards := map[string]func(http.Handler) http.Handler{
				"/home": p.page, "/me": p.user, "/admin": p.admin,
			}
			p.page, p.user, p.admin = unchanged, unchanged, unchanged
			middleware := p.middleware
			p.middleware = func(next http.Handler) http.Handler {
				next = cleaned(next)
				return middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if guard := guards[r.URL.Path]; guard != nil {
						guard(next).ServeHTTP(w, r)
						return
					}
					next.ServeHTTP(w, r)
				}))
			}
		}},
		{"HEAD and other methods", "a guard for GET", func(p *parts) {
			guard := p.admin
			p.admin = func(next http.Handler) http.Handler {
				return branch(isGet, guard(next), next)
			}
		}},
		{"HEAD and other methods", "no HEAD", func(p *parts) {
			p.around = func(next http.Handler) http.Handler {
				return branch(isGet, next, http.NotFoundHandler())
			}
		}},
		{"notes", "text as it comes", func(p *parts) {
			p.note = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "note", Value: r.PostFormValue("note")})
				http.Redirect(w, r, "/home", http.StatusSeeOther)
			})
		}},
		{"forms of other sites", "no protection", func(p *parts) { p.protect = unchanged }},
		{"many cookies", "a limit of 4 KiB", func(p *parts) {
			p.around = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if line := r.Header.Get("Cookie"); len(line) > 4<<10 {
						r.Header.Set("Cookie", line[:4<<10])
					}
					next.ServeHTTP(w, r)
				})
			}
		}},
		{"panic", "users read what went wrong", func(p *parts) {
			p.around = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer func() {
						if v := recover(); v != nil {
							http.Error(w, fmt.Sprint(v), http.StatusInternalServerError)
						}
					}()
					next.ServeHTTP(w, r)
				})
			}
		}},
		{"panic", "nobody is told", func(p *parts) {
			p.around = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer func() { _ = recover() }()
					next.ServeHTTP(w, r)
				})
			}
		}},
	} {
		check := checks[test.check]
		if test.check == "stream" {
			check = stream
		}
		proven[test.check] = true
		t.Run(test.check+"/"+test.flaw, func(t *testing.T) {
			refuses(t, check, broken(test.build), true)
		})
	}
	for name := range checks {
		if !proven[name] {
			t.Errorf("no broken application shows that the check %q can fail", name)
		}
	}
	t.Run("Amplify JS/scripts cannot read cookies", func(t *testing.T) {
		refuses(t, amplifyJS, broken(changing(func(status int, h http.Header) int {
			for i := range h["Set-Cookie"] {
				h["Set-Cookie"][i] += "; HttpOnly"
			}
			return status
		})), false)
	})
	t.Run("Amplify JS/a route to sign in", func(t *testing.T) {
		refuses(t, amplifyJS, broken(func(p *parts) { p.routes = p.greet }), false)
	})
	t.Run("buffered/events one by one", func(t *testing.T) {
		refuses(t, buffered, broken(func(*parts) {}), true)
	})
}

// refuses expects that a check fails.
func refuses(t *testing.T, check check, serve Serve, managedLogin bool) {
	t.Helper()
	record := &record{TB: t}
	done := make(chan struct{})
	go func() { // which FailNow ends
		defer close(done)
		check(newApp(record, serve, managedLogin))
	}()
	<-done
	if record.failures.Load() == 0 {
		t.Error("the check accepts it")
	}
}
