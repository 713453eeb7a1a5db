package frameworktest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/amplify-go/amplify/amplifytest"
)

// twoUsers: 64 requests of two users share a server's connections, contexts and buffers, and
// nothing else. Half of them come with sessions that are refreshed on the way.
func twoUsers(a *app) {
	const requests = 64
	greetings := map[string]string{"alice": "Hello, &lt;b&gt;Alice", "bob": "Hello, bob@"}
	type request struct {
		question
		user amplifytest.User
		note string
	}
	for range 3 {
		sessions := map[string]string{}
		for _, user := range []amplifytest.User{alice, bob} {
			sessions[user.Name] = a.session(user)
			sessions[user.Name+", expired"] = a.session(user, amplifytest.Expired)
		}
		all := make([]request, requests)
		for i := range all {
			r := request{user: []amplifytest.User{alice, bob}[i%2]}
			r.path = []string{"/me", "/home", "/events", "/note"}[i/2%4]
			if r.path == "/note" {
				r.note = fmt.Sprintf("%s-%d", r.user.Name, i)
				r.method, r.form = http.MethodPost, "note="+r.note
			}
			if r.cookies = sessions[r.user.Name]; i%16 < 8 {
				r.cookies = sessions[r.user.Name+", expired"]
			}
			all[i] = r
		}
		start := make(chan struct{})
		var done sync.WaitGroup
		for i, r := range all {
			done.Go(func() {
				<-start
				got := a.ask(r.question)
				switch r.path {
				case "/me":
					a.identifies(got, r.user)
				case "/home":
					if !strings.Contains(got.body, greetings[r.user.Name]) {
						a.Errorf("%s is shown %s", r.user.Name, got.body)
					}
				case "/events":
					const events = "data: 1 X\n\ndata: 2 X\n\ndata: 3 X\n\n"
					want := strings.ReplaceAll(events, "X", r.user.Name)
					if got.body != want {
						a.Errorf("%s is sent %q", r.user.Name, got.body)
					}
				case "/note":
					text := strings.Join(got.header["Set-Cookie"], "\n")
					if !strings.Contains(text, "note="+r.note) {
						a.Errorf("note %s is kept as %s", r.note, text)
					}
				}
				own := ""
				if r.note != "" {
					own = "note"
				}
				if i%16 < 8 {
					a.refreshed(r.question, got, r.user, own)
				} else if n := len(got.header["Set-Cookie"]); n > 1 || n == 1 && own == "" {
					a.Errorf("%s is sent the cookies %q", r.user.Name, got.header["Set-Cookie"])
				}
			})
		}
		close(start)
		done.Wait()
	}
	if n := a.refreshes(); n != 3*2 {
		a.Errorf("%d refreshes of six sessions", n)
	}
}

// unusualPaths: a guard stands before a handler however its path is spelled.
func unusualPaths(a *app) {
	users := map[string]string{
		"nobody":                         "",
		"a user in no group":             a.session(bob),
		"a user with an expired session": a.session(bob, amplifytest.Expired),
		"somebody else's invention":      a.session(root, amplifytest.Forged),
	}
	spellings := []string{
		"%s", "/%s", "//%s", "%s/", "%s//", "/.%s", "/./%s", "%s/.", "%s/..%[1]s",
		"/x/..%s", "/x/../%s", "/../%s", "/..;%s", "/;%s", "%s;x=1", "%s?x=/",
		"%s%%2f", "/%%2f%s", "%%2f%s", "/%%2e%s", "/x%%2f..%s", "%s%%00", "%s%%20", "%s%%0d%%0a",
		"%s.", "%s.html", `\%s`, "/*%s",
		"/api/auth/sign-in/..%s", "/api/auth/..%s", "/api/auth/sign-in%%2f..%s", "/api/auth%s",
		"/api/auth/sign-out%s", "%s/api/auth/sign-in",
		"http://example.com%s", "http://other.example%s", "http://example.com/%s",
	}
	for _, path := range []string{"/home", "/me", "/admin", "/events", "/note"} {
		var targets []string
		for _, form := range spellings {
			targets = append(targets, fmt.Sprintf(form, path))
		}
		other := []string{strings.ToUpper(path), encodeFirst(path), encodeAll(path)}
		for _, spelling := range other {
			targets = append(targets, spelling, "/"+spelling, spelling+"/")
		}
		for _, target := range targets {
			for who, cookies := range users {
				if path != "/admin" && strings.HasPrefix(who, "a user") {
					continue // who may come in
				}
				for _, method := range []string{"GET", "POST"} {
					got := a.raw(method, target, cookies)
					if got.passed() {
						a.Errorf("%s %s lets %s pass: status %d\n%s",
							method, target, who, got.status, got.body)
					}
				}
			}
		}
	}
	for _, target := range []string{"//home", "/home/", "/%68ome", "/home/../home"} {
		// A user gets there, is led there, or is told that there is nothing.
		got := a.raw("GET", target, a.session(alice))
		if got.status != 200 && got.status/100 != 3 && got.status != 404 {
			a.Errorf("%s: status %d", target, got.status)
		}
	}
}

// passed reports whether an answer comes from a handler behind a guard: it has what the handler
// sends, or is the failure of a handler that finds no user.
func (a answer) passed() bool {
	sent := a.body + strings.Join(a.header["Set-Cookie"], "\n")
	for _, text := range []string{"admins only", "Hello,", `"username"`, "data: ", "note="} {
		if strings.Contains(sent, text) {
			return true
		}
	}
	return a.status >= 500 && a.status != http.StatusNotImplemented
}

func encodeFirst(path string) string { return fmt.Sprintf("/%%%02x%s", path[1], path[2:]) }

func encodeAll(path string) string {
	var b strings.Builder
	for _, c := range []byte(path[1:]) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return "/" + b.String()
}

// methods: no method gets past a guard, and HEAD is answered as GET, without a body.
func methods(a *app) {
	all := []string{"HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get", "GETS"}
	users := map[string]string{"nobody": "", "a user in no group": a.session(bob)}
	for _, path := range []string{"/home", "/me", "/admin", "/events", "/note"} {
		for _, method := range all {
			for who, cookies := range users {
				if path != "/admin" && cookies != "" {
					continue
				}
				got := a.raw(method, path, cookies)
				if got.passed() || got.status == 200 && method == "HEAD" {
					a.Errorf("%s %s lets %s pass: status %d\n%s",
						method, path, who, got.status, got.body)
				}
			}
		}
	}
	for _, path := range []string{"/", "/home", "/me"} {
		expired := a.session(alice, amplifytest.Expired)
		q := question{method: http.MethodHead, path: path, cookies: expired}
		got := a.ask(q)
		if got.status != 200 || got.body != "" {
			a.Errorf("HEAD %s: status %d, body %q", path, got.status, got.body)
			continue
		}
		a.isMe(a.refreshed(q, got, alice), alice)
	}
}

// notes: what a form says goes into a cookie, escaped, and nothing of it anywhere else.
func notes(a *app) {
	for _, text := range []string{
		"milk", "milk & honey; Path=/x, ü", "x\r\nSet-Cookie: evil=1\r\n\r\nbody", "",
	} {
		got := a.ask(question{
			method: http.MethodPost, path: "/note", cookies: a.session(bob),
			form: url.Values{"note": {text}}.Encode(),
		})
		if got.status != http.StatusSeeOther || got.header.Get("Location") != "/home" {
			a.Errorf("status %d to %q", got.status, got.header.Get("Location"))
		}
		lines := got.header["Set-Cookie"]
		if len(lines) != 1 {
			a.Errorf("%d cookies: %q", len(lines), lines)
			continue
		}
		c, err := http.ParseSetCookie(lines[0])
		if err != nil || c.Name != "note" {
			a.Errorf("%q: %v", lines[0], err)
			continue
		}
		if note, err := url.QueryUnescape(c.Value); err != nil || note != text {
			a.Errorf("the note %q is kept as %q, %v", text, c.Value, err)
		}
	}
}

// otherSites: a page of another site sends a form with the user's cookies.
func otherSites(a *app) {
	q := question{
		method: http.MethodPost, path: "/note", cookies: a.session(bob), form: "note=x",
	}
	for name, header := range map[string]map[string]string{
		"a modern browser": fromAfar,
		"an old browser":   {"Origin": "https://evil.example"},
		"no origin":        {"Origin": "null"},
		"a sibling":        {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "same-site"},
		"another scheme":   {"Origin": "http://example.com:81"},
	} {
		q.header = header
		if got := a.ask(q); got.status != 403 || got.header["Set-Cookie"] != nil {
			a.Errorf("the form of another site, %s: status %d, cookies %s",
				name, got.status, got.header["Set-Cookie"])
		}
	}
	for name, header := range map[string]map[string]string{
		"a modern browser": {"Origin": "https://example.com", "Sec-Fetch-Site": "same-origin"},
		"an old browser":   {"Origin": "https://example.com"},
		"a program":        nil,
	} {
		q.header = header
		if got := a.ask(q); got.status != 303 {
			a.Errorf("%s, own site: status %d", name, got.status)
		}
	}
}

// manyCookies: a session is found among a hundred other cookies, and none is read of 64 KiB.
func manyCookies(a *app) {
	session := a.session(alice)
	var many strings.Builder
	for i := range 50 {
		fmt.Fprintf(&many, "cookie%d=%d; ", i, i)
	}
	a.isMe(many.String()+session+"; "+many.String()+"x=y", alice)
	a.isMe("x=\"; "+strings.Repeat("y", 40<<10)+"=1; "+session, alice) // odd, and large

	tooMany := strings.Repeat("x="+strings.Repeat("y", 1000)+"; ", 66) + session
	for _, path := range []string{"/home", "/me", "/admin", "/events"} {
		q := question{path: path, cookies: tooMany}
		a.wants(q, a.ask(q), 431, `"reason":"cookies_too_large"`)
		q.header = navigation
		a.wants(q, a.ask(q), 431, "Delete the cookies of this site")
	}
	q := question{path: "/", cookies: tooMany}
	a.wants(q, a.ask(q), 200, "Welcome!")
	a.isMe(session, alice)
}

// panics: a handler that panics harms nobody else.
func panics(a *app) {
	mine, others := a.session(alice), a.session(bob)
	a.isMe(mine, alice)
	a.isMe(others, bob)
	for range 8 {
		fail := func() { panic("frameworktest: the clock has stopped") }
		a.onClock.Store(&fail)
		response, err := a.client.Do(a.request(a.Context(), question{path: "/", cookies: mine}))
		a.onClock.Store(nil)
		if err == nil { // some servers hang up, others say so
			got := a.read(response)
			if got.status != 500 ||
				strings.Contains(got.body, "clock") || strings.Contains(got.body, "goroutine") {
				a.Errorf("status %d: %s", got.status, got.body)
			}
		}
		a.isMe(others, bob)
		a.isMe(mine, alice)
	}
}
