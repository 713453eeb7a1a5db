package e2e

import (
	"context"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/sandbox"
)

// frameworks are the folders of the examples that differ in their web framework alone.
var frameworks = []string{"nethttp", "chi", "gin", "echo", "fiber", "templ"}

// TestFrameworks: sessions of managed login and of Amplify JS in the applications of all
// frameworks, each a process of its own.
func TestFrameworks(t *testing.T) {
	library := amplify6(t)
	var packages []string
	sites := map[string]*site{}
	config := sandbox.Config{}
	for _, name := range frameworks {
		packages = append(packages, "./examples/"+name)
		sites[name] = newSite(t, "localhost")
		config.AppOrigins = append(config.AppOrigins, sites[name].origin)
	}
	programs := goPrograms(t, packages...)
	backend := startBackend(t, config)
	backend.addUser(t, sandbox.User{Email: ada})
	outputs := filepath.Join(t.TempDir(), "amplify_outputs.json")
	if err := os.WriteFile(outputs, backend.Outputs(), 0o600); err != nil {
		t.Fatal(err)
	}
	// Cookies know no ports: who signs in on this page is signed in at the applications.
	page := &spa{backend: backend, app: startApp(t, newSite(t, "localhost"), backend, appOptions{
		Script: library.bundle(t, "page.js"),
		Configuration: map[string]any{
			"config": backend.resourcesConfig(t), "options": map[string]any{"ssr": true},
		},
	})}

	for _, name := range frameworks {
		start := func(t *testing.T, s *site, variables ...string) framework {
			address, err := url.Parse(s.origin)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.listener.Close(); err != nil { // the process takes the port
				t.Fatal(err)
			}
			cmd := exec.Command(filepath.Join(programs, name))
			cmd.Env = append(os.Environ(), "AMPLIFY_OUTPUTS="+outputs, "PORT="+address.Port())
			cmd.Env = append(cmd.Env, variables...)
			process := startProcess(t, cmd)
			return framework{s.origin, backend}.answers(t, address.Host, process)
		}
		t.Run(name+", managed login", func(t *testing.T) {
			app := start(t, sites[name], "AMPLIFY_APP_ORIGIN=")
			b := browser.profile(t)
			b.open(app.origin)
			b.sees("Welcome!")
			b.click("Sign in")
			b.arrives(backend.URL())
			b.managedLogin(ada, password)
			b.arrives(app.origin + "/home")
			b.sees("Hello, " + ada)
			app.walk(b)
			b.click("Sign out")
			b.arrives(app.origin + "/api/auth/signed-out")
			app.checkSignedOut(b)
		})
		t.Run(name+", Amplify JS", func(t *testing.T) {
			app := start(t, newSite(t, "localhost"), "AMPLIFY_APP_ORIGIN=none")
			b := browser.profile(t)
			js := page.open(b)
			if step := signIn(js, ada, password); step != "DONE" {
				t.Fatalf("next step %s", step)
			}
			b.open(app.origin + "/home")
			b.sees("Hello, " + ada)
			user := app.walk(b)
			js = page.open(b)
			var known struct{ Username string }
			js.do(&known, "getCurrentUser")
			if known.Username != user {
				t.Errorf("the application knows %s, the page %s", user, known.Username)
			}
			js.do(nil, "signOut")
			app.checkSignedOut(b)
		})
	}
}

// framework is an application in one of the frameworks.
type framework struct {
	origin  string
	backend *backend
}

// answers waits until a process takes connections.
func (f framework) answers(t testing.TB, address string, p *process) framework {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if connection, err := new(net.Dialer).DialContext(ctx, "tcp", address); err == nil {
			_ = connection.Close()
			return f
		}
		select {
		case <-again.C:
		case <-p.ended:
			t.Fatal("the application has ended")
		case <-ctx.Done():
			t.Fatalf("the application did not answer within %v", patience)
		}
	}
}

// walk goes through the application with a tab that shows its page /home, and ends there. It
// returns the name of the user.
func (f framework) walk(b *tab) (user string) {
	b.t.Helper()
	user = b.whoami().Username
	if user == "" {
		b.t.Fatal("nobody is signed in")
	}
	const stream = `new Promise((resolve, reject) => {
		const events = [], source = new EventSource('/events');
		source.onmessage = e => {
			if (events.push(e.data) < 3) return;
			source.close();
			resolve(events.join('\n'));
		};
		source.onerror = () => { source.close(); reject(new Error('after ' + events)); };
	})`
	want := strings.ReplaceAll("1 USER\n2 USER\n3 USER", "USER", user)
	for name, act := range map[string]func(){
		"a stream": func() {
			var events string
			if b.script(&events, stream); events != want {
				b.t.Errorf("events %q, want %q", events, want)
			}
		},
		"a page": func() {
			b.reload()
			b.sees("Hello, " + ada)
		},
		"a form": func() {
			b.script(nil, `(() => {
				const form = document.createElement('form');
				form.method = 'post';
				form.action = '/note';
				form.innerHTML = '<input name="note" value="milk &amp; honey">';
				document.body.replaceChildren(form);
				form.submit();
			})()`)
			b.arrives(f.origin + "/home")
			b.sees("Hello, " + ada)
			note := b.cookies()["note"]
			if note == nil {
				b.t.Error("no note is kept")
				return
			}
			if text, err := url.QueryUnescape(note.Value); err != nil || text != "milk & honey" {
				b.t.Errorf("the note is kept as %q, %v", note.Value, err)
			}
		},
	} {
		f.expire(b)
		before, token := f.backend.Calls()["GetTokensFromRefreshToken"], b.cookie("accessToken")
		act()
		if n := f.backend.Calls()["GetTokensFromRefreshToken"] - before; n != 1 {
			b.t.Errorf("%s: %d refreshes", name, n)
		}
		if b.cookie("accessToken") == token {
			b.t.Errorf("%s: the browser keeps the expired token", name)
		}
	}
	return user
}

// expire puts a session that began two hours ago into the browser, in place of the one that is
// there. Its tokens lasted for one hour.
func (f framework) expire(b *tab) {
	b.t.Helper()
	f.backend.SetClockOffset(-2 * time.Hour)
	tokens, err := f.backend.Tokens(b.ctx, ada)
	f.backend.SetClockOffset(0)
	if err != nil {
		b.t.Fatal(err)
	}
	config, err := amplify.ParseConfig(f.backend.Outputs())
	if err != nil {
		b.t.Fatal(err)
	}
	session, err := amplifytest.Cookies(config, amplify.IssuedTokens{
		AccessToken:  amplify.NewSecret(tokens.AccessToken),
		IDToken:      amplify.NewSecret(tokens.IDToken),
		RefreshToken: amplify.NewSecret(tokens.RefreshToken),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	kept := b.cookies()
	for _, c := range session {
		old := kept[c.Name]
		if old == nil {
			b.t.Fatalf("the browser keeps no cookie %s", c.Name)
		}
		call(b, network.SetCookie, network.SetCookieParams{
			Name: c.Name, Value: c.Value, URL: f.origin, Path: old.Path,
			Secure: &old.Secure, HTTPOnly: &old.HTTPOnly, SameSite: old.SameSite,
		})
	}
}

// checkSignedOut expects a browser in which nothing of a session is left.
func (f framework) checkSignedOut(b *tab) {
	b.t.Helper()
	for name := range b.cookies() {
		if strings.HasPrefix(name, "CognitoIdentityServiceProvider.") {
			b.t.Errorf("the browser keeps %s", name)
		}
	}
	b.open(f.origin)
	b.sees("Welcome!")
	var status int
	if b.script(&status, `fetch('/me').then(r => r.status)`); status != 401 {
		b.t.Errorf("/me: status %d", status)
	}
}
