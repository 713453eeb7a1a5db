package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// patience bounds the wait for anything that a page should show. It is long because two cores run
// everything under the race detector; only what is broken takes that long.
const patience = 60 * time.Second

// noPage is where Chromium is when a page could not be had.
const noPage = "chrome-error://"

// chromium is a browser. It is started when the first profile is asked for.
type chromium struct {
	// hosts maps names of hosts to addresses of this machine, as "MAP name address" does.
	hosts []string
	// trusted is the SHA-256 of the key of a TLS server, in base64, that the browser is to trust.
	trusted string

	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

// start starts the browser.
func (c *chromium) start(t testing.TB) context.Context {
	t.Helper()
	path := program(t, "chromium")
	c.once.Do(func() {
		// Chromium leaves files in the directory for temporary ones when it is killed.
		dir, err := os.MkdirTemp("", "chromium")
		if err != nil {
			c.err = err
			return
		}
		// The machine's own names are all that exist. Other sites are names below localhost.
		rules := append(c.hosts, "MAP * ~NOTFOUND", "EXCLUDE localhost", "EXCLUDE *.localhost", "EXCLUDE 127.0.0.1")
		ctx, cancelAllocator := chromedp.NewExecAllocator(context.Background(),
			chromedp.ExecPath(path),
			chromedp.UserDataDir(filepath.Join(dir, "profile")),
			chromedp.Env("TMPDIR="+dir),
			chromedp.Headless,
			chromedp.NoSandbox,
			chromedp.DisableGPU,
			chromedp.NoFirstRun,
			chromedp.NoDefaultBrowserCheck,
			chromedp.Flag("disable-quic", true),
			chromedp.Flag("disable-background-networking", true),
			chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-sync", true),
			chromedp.Flag("disable-dev-shm-usage", true),
			chromedp.Flag("disable-auto-reload", true), // of pages that could not be had: the tests decide when
			chromedp.Flag("disable-renderer-backgrounding", true),
			chromedp.Flag("disable-background-timer-throttling", true),
			chromedp.Flag("disable-backgrounding-occluded-windows", true),
			chromedp.Flag("host-resolver-rules", strings.Join(rules, ", ")),
			chromedp.Flag("ignore-certificate-errors-spki-list", c.trusted),
		)
		ctx, cancelBrowser := chromedp.NewContext(ctx)
		c.stop = func() {
			cancelBrowser()
			cancelAllocator()
			_ = os.RemoveAll(dir)
		}
		c.ctx, c.err = ctx, chromedp.Do(ctx) // starts the process
	})
	if c.err != nil {
		t.Fatalf("starting chromium: %v", c.err)
	}
	return c.ctx
}

// close ends the browser's processes.
func (c *chromium) close() {
	if c.stop != nil {
		c.stop()
	}
}

// tab is one tab of a browser profile. Its methods do what a person does, and end the test if that
// is not possible within [patience].
type tab struct {
	t   testing.TB
	ctx context.Context
}

// profile returns a tab in a browser profile of its own, without a cookie. Both end with the test.
func (c *chromium) profile(t testing.TB) *tab {
	t.Helper()
	return newTab(c.start(t), t, chromedp.WithNewBrowserContext())
}

// beside returns another tab of the same profile.
func (b *tab) beside() *tab {
	b.t.Helper()
	return newTab(b.ctx, b.t)
}

func newTab(parent context.Context, t testing.TB, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	// The first action opens the tab, which lives as long as that action's context: no deadline
	// here.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1024, 900)); err != nil {
		t.Fatalf("opening a tab: %v", err)
	}
	return &tab{t, ctx}
}

// withoutScript turns scripts off in the tab, as some people do.
func (b *tab) withoutScript() *tab {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return b
}

// open goes to an address, as if it had been typed.
func (b *tab) open(address string) {
	b.t.Helper()
	b.do("opening "+address, chromedp.Navigate(address))
}

// reload loads the page again.
func (b *tab) reload() {
	b.t.Helper()
	b.do("reloading", chromedp.Reload())
}

// click clicks the link or button that reads text or, if there is none, the first that contains it,
// once the page is loaded: before that, style sheets still move things about.
func (b *tab) click(text string) {
	b.t.Helper()
	var at struct{ X, Y float64 }
	b.await("to click "+text, &at, `(() => {
		const clickable = 'a[href], button, input[type=submit], summary';
		if (document.readyState !== 'complete') return null;
		const e = find(clickable, e => textOf(e) === %[1]s) ?? find(clickable, e => textOf(e).includes(%[1]s));
		return e && centre(e);
	})()`, text)
	b.do("clicking "+text, chromedp.MouseClickXY(at.X, at.Y))
}

// fill types value into the field labelled label, in place of what is there.
func (b *tab) fill(label, value string) {
	b.t.Helper()
	b.await("to fill in "+label, nil, `(() => {
		const e = find('input, textarea', e => [...(e.labels ?? [])].some(l => textOf(l) === %[1]s) || e.name === %[1]s);
		if (e) { e.focus(); e.select(); }
		return e && document.activeElement === e;
	})()`, label)
	call(b, input.InsertText, input.InsertTextParams{Text: value})
}

// enter presses the Enter key, which sends the form of the field that was filled in last.
func (b *tab) enter() {
	b.t.Helper()
	b.do("pressing Enter", chromedp.KeyEvent("\r"))
}

// sees waits until the page shows text.
func (b *tab) sees(text string) {
	b.t.Helper()
	b.await("to see "+text, nil, `document.body.innerText.includes(%s)`, text)
}

// arrives waits until the tab shows, completely loaded, a page whose address begins with prefix,
// and returns the address.
func (b *tab) arrives(prefix string) *url.URL {
	b.t.Helper()
	var address string
	b.await("to arrive at "+prefix, &address, `document.readyState === 'complete' && location.href.startsWith(%s) && location.href`, prefix)
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

// text returns what the page shows.
func (b *tab) text() string {
	b.t.Helper()
	var text string
	b.await("to show something", &text, `document.readyState === 'complete' && document.body.innerText`)
	return text
}

// script runs an expression in the page and decodes its result, or what its promise comes to, into
// out.
func (b *tab) script(out any, expression string) {
	b.t.Helper()
	value, err := chromedp.Run(b.patiently(), chromedp.Evaluate[json.RawMessage](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("running a script: %v", err)
	}
	if out != nil {
		if err := json.Unmarshal(value, out); err != nil {
			b.t.Fatalf("decoding the result of a script: %v", err)
		}
	}
}

// whoami asks the application of the page who is signed in, as its scripts do.
func (b *tab) whoami() whoami {
	b.t.Helper()
	var answer whoami
	b.script(&answer, `fetch('/me').then(r => r.json())`)
	return answer
}

// cookies returns every cookie that the profile keeps, under its name.
func (b *tab) cookies() map[string]*network.Cookie {
	b.t.Helper()
	result, err := chromedp.CallBrowser(b.patiently(), storage.GetCookies,
		storage.GetCookiesParams{BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID})
	if err != nil {
		b.t.Fatalf("reading cookies: %v", err)
	}
	cookies := make(map[string]*network.Cookie, len(result.Cookies))
	for _, c := range result.Cookies {
		if other := cookies[c.Name]; other != nil {
			b.t.Fatalf("two cookies are called %s: domains %s and %s, paths %s and %s", c.Name, c.Domain, other.Domain, c.Path, other.Path)
		}
		cookies[c.Name] = c
	}
	return cookies
}

// lookup is what the expressions of await may use. What is looked for must be visible: nobody can
// click or read the rest.
const lookup = `
	const shown = e => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
	const textOf = e => (e.innerText || e.value || '').replace(/\s+/g, ' ').trim();
	const find = (selector, test) => [...document.querySelectorAll(selector)].find(e => shown(e) && test(e));
	const centre = e => {
		e.scrollIntoView({ block: 'center', behavior: 'instant' });
		const r = e.getClientRects()[0];
		return { X: r.x + r.width / 2, Y: r.y + r.height / 2 };
	};
`

// await evaluates a JavaScript expression until it is true enough, and decodes it into out. args
// stand in the expression as JSON.
func (b *tab) await(what string, out any, expression string, args ...any) {
	b.t.Helper()
	for i, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			b.t.Fatal(err)
		}
		args[i] = text
	}
	if len(args) > 0 {
		expression = fmt.Sprintf(expression, args...)
	}
	expression = "{" + lookup + "const value = " + expression + "; value || null }"
	ctx := b.patiently()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		value, err := chromedp.Run(ctx, chromedp.Evaluate[json.RawMessage](expression))
		switch {
		case err == nil && string(value) != "null" && len(value) > 0:
			if out != nil {
				if err := json.Unmarshal(value, out); err != nil {
					b.t.Fatalf("waiting %s: %v", what, err)
				}
			}
			return
		case ctx.Err() != nil:
			b.t.Fatalf("waited %v in vain %s.\n%s", patience, what, b.describe())
		}
		// A page that is just being left answers with an error, which is no news. A fault in the
		// expression is.
		if e, ok := errors.AsType[*chromedp.ExceptionError](err); ok && strings.Contains(e.Error(), "SyntaxError") {
			b.t.Fatalf("waiting %s: %v", what, err)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

// describe says what the tab shows, for the report of a failure. Queries of addresses may hold
// codes: they stay out.
func (b *tab) describe() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.origin + location.pathname + '\n' + document.body?.innerText`))
	if err != nil {
		return "The tab shows nothing: " + err.Error()
	}
	return "The tab shows " + text
}

func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.patiently(), steps...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// call makes a call of the DevTools protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.patiently(), command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// patiently returns the tab's context with a deadline. Its timer goes when the test does.
func (b *tab) patiently() context.Context {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	b.t.Cleanup(cancel)
	return ctx
}
