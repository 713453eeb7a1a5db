package cookie_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// TestConformanceCookieNames judges names and values of cookies one by one.
func TestConformanceCookieNames(t *testing.T) {
	conformance.Run(t, "cookie-names.json", cookieNamesExceptions, func(t *testing.T, c conformance.Case) error {
		var in struct {
			Kind, Name, Value, CookieHeader string
			Options                         map[string]any
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		switch in.Kind {
		case "name":
			return judgeName(c, in.Name)
		case "value":
			return judgeValue(c, in.Value)
		case "header":
			return judgeReading(c, in.CookieHeader, in.Name)
		case "serialize":
			return judgeSetCookie(c, in.Name, in.Value, in.Options)
		case "allow":
			return conformance.Diff(mustMarshal(c.Want("isServerSideAuthAllowedCookie")), sessionkey.IsSession(in.Name))
		}
		return fmt.Errorf("unknown kind %q", in.Kind)
	})
}

func mustMarshal(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // was decoded from JSON
	}
	return b
}

// judgeName: we write what the browser writes, and read what either of the two writes.
func judgeName(c conformance.Case, name string) error {
	browser, _ := c.Want("jsCookieWrites", "value").(string)
	server, _ := c.Want("ensureEncodedForJSCookie", "value").(string)
	if got := cookie.EncodeName(name); got != browser {
		return fmt.Errorf("writes %q, want %q", got, browser)
	}
	for _, spelling := range []string{browser, server} {
		if got := cookie.DecodeName(spelling); got != name {
			return fmt.Errorf("reads %q as %q", spelling, got)
		}
	}
	return conformance.Diff(mustMarshal(c.Want("same")), cookie.EncodeName(name) == server)
}

// judgeValue: we write what the browser writes, and read what any of the three writes, unless it
// cannot be told.
func judgeValue(c conformance.Case, value string) error {
	browser, _ := c.Want("jsCookieWrites", "value").(string)
	raw, _ := c.Want("serializeCookie", "value").(string)
	encoded, _ := c.Want("nextResponseCookies", "value").(string)
	if got := cookie.EncodeValue(value); got != browser {
		return fmt.Errorf("writes %q, want %q", got, browser)
	}
	if raw != "n="+value+";" {
		return fmt.Errorf("serializeCookie writes %q: not the value as it is", raw)
	}
	encoded, attributes, _ := strings.Cut(encoded, ";")
	if attributes != " Path=/" {
		return fmt.Errorf("nextResponseCookies writes the attributes %q", attributes)
	}
	spellings := []string{browser, strings.TrimPrefix(encoded, "n=")}
	if !ambiguous(value) {
		spellings = append(spellings, value)
	}
	for _, spelling := range spellings {
		if got := cookie.DecodeValue(spelling); got != value {
			return fmt.Errorf("reads %q as %q", spelling, got)
		}
	}
	return nil
}

// ambiguous reports whether a value that was written without encoding cannot be told: it ends its
// own cookie, or is itself the encoding of something.
func ambiguous(value string) bool {
	return strings.Contains(value, ";") || strings.HasPrefix(value, `"`) || cookie.DecodeValue(value) != value
}

// judgeReading compares what we read with what each of the four readers was recorded to read. Of
// several cookies we read all.
func judgeReading(c conformance.Case, header, name string) error {
	kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(http.Header{"Cookie": {header}}, nil), cookie.Options{})
	var values []any
	for key, value := range kv.All(name) {
		if key == name {
			values = append(values, value)
		}
	}
	var ours any = values
	switch len(values) {
	case 0:
		ours = nil
	case 1:
		ours = values[0]
	}
	got := map[string]any{}
	for _, reader := range readers {
		got[reader] = ours
	}
	return conformance.Diff(c.Expected, got)
}

var readers = []string{"nextRequestCookies", "nextPagesParser", "authRoutesAppRouter", "jsCookieGet"}

// judgeSetCookie compares Set-Cookie lines by what they mean.
func judgeSetCookie(c conformance.Case, name, value string, options map[string]any) error {
	ours := &http.Cookie{Name: cookie.EncodeName(name), Value: cookie.EncodeValue(value)}
	for option, v := range options {
		switch option {
		case "path":
			ours.Path, _ = v.(string)
		case "domain":
			ours.Domain, _ = v.(string)
		case "expires":
			date, _ := v.(map[string]any)["$date"].(string)
			var err error
			if ours.Expires, err = time.Parse(time.RFC3339, date); err != nil {
				return err
			}
		case "httpOnly":
			ours.HttpOnly, _ = v.(bool)
		case "secure":
			ours.Secure, _ = v.(bool)
		case "maxAge":
			n, _ := v.(float64)
			ours.MaxAge = int(n)
		case "sameSite":
			ours.SameSite = map[any]http.SameSite{
				"strict": http.SameSiteStrictMode, "lax": http.SameSiteLaxMode, "none": http.SameSiteNoneMode,
			}[v]
		default:
			return fmt.Errorf("unknown option %s", option)
		}
	}
	theirs, _ := c.Want("serializeCookie", "value").(string)
	if d := cmp.Diff(attributes(theirs), attributes(cookie.Format(ours))); d != "" {
		return fmt.Errorf("(-recorded +ours)\n%s", d)
	}
	return nil
}

// attributes returns the parts of a Set-Cookie line, those that mean the same spelled the same.
func attributes(line string) map[string]string {
	parts := map[string]string{}
	for i, part := range strings.Split(line, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if i > 0 {
			name, value = strings.ToLower(name), strings.ToLower(value)
		}
		if name == "domain" {
			value = strings.TrimPrefix(value, ".") // RFC 6265bis §5.6.3
		}
		if n, err := strconv.Atoi(value); name == "max-age" && err == nil {
			value = strconv.Itoa(max(n, 0)) // §5.6.2
		}
		if name != "" {
			parts[name] = value
		}
	}
	return parts
}

// TestConformanceBrowserSetCookie repeats the recorded responses with our storage, and compares
// what the browser then has.
func TestConformanceBrowserSetCookie(t *testing.T) {
	now := time.Now()
	conformance.Run(t, "browser-set-cookie.json", setCookieExceptions, func(t *testing.T, c conformance.Case) error {
		in, want, err := decodeSetCookieCase(c)
		if err != nil {
			return err
		}
		j := newJar(in.Origin, now)
		for _, line := range in.InitialSetCookie {
			j.set(line, "/", false)
		}
		writes, options, err := recordedWrites(in)
		if err != nil {
			return err
		}
		response := http.Header{}
		kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(http.Header{"Cookie": {j.header(in.RequestPath)}}, response), options)
		// A storage with options that browsers refuse is never made.
		if options.Validate() == nil {
			for _, w := range writes {
				if w.deleted {
					err = errors.Join(err, kv.Delete(w.key))
				} else {
					err = errors.Join(err, kv.Set(w.key, w.value))
				}
			}
		}
		if err != nil {
			return err
		}
		for _, line := range response["Set-Cookie"] {
			if attributes(line)["path"] != "/" {
				return fmt.Errorf("no Path=/: %s", line)
			}
			j.set(line, in.RequestPath, false)
		}
		var recorded []kept
		if err := json.Unmarshal(want.Jar, &recorded); err != nil {
			return err
		}
		return errors.Join(
			conformance.Diff(mustMarshal(decoded(recorded)), decoded(j.cookies())),
			conformance.Diff(mustMarshal(decodedHeader(want.Header)), decodedHeader(j.header("/page"))))
	})
}

// decodedHeader returns the cookies of a Cookie header, by what names and values mean. Their order
// depends on when they were set, and means nothing.
func decodedHeader(header string) []string {
	pairs := []string{}
	for pair := range strings.SplitSeq(header, "; ") {
		name, value, _ := strings.Cut(pair, "=")
		pairs = append(pairs, cookie.DecodeName(name)+"="+cookie.DecodeValue(value))
	}
	slices.Sort(pairs)
	return pairs
}

// decoded returns cookies by what their names and values mean.
func decoded(cookies []kept) []kept {
	all := slices.Clone(cookies)
	for i, c := range all {
		all[i].Name, all[i].Value = cookie.DecodeName(c.Name), cookie.DecodeValue(c.Value)
	}
	return all
}

type write struct {
	key, value string
	deleted    bool
}

// recordedWrites returns what a recorded response sets and deletes, and the options of its cookies.
// The flow cookies are left out, since no storage sets them.
func recordedWrites(in setCookieInput) (writes []write, o cookie.Options, err error) {
	for _, line := range in.SetCookie {
		name, _, _ := strings.Cut(line, "=")
		given := attributes(line)
		w := write{key: cookie.DecodeName(name)}
		// A value that was written unencoded may hold ";": the attributes begin with one of these.
		w.value = line[len(name)+1:]
		for _, first := range []string{";HttpOnly", ";SameSite", ";Secure", ";Path", ";Domain", ";Expires", "; Path"} {
			if value, _, ok := strings.Cut(w.value, first); ok {
				w.value = value
			}
		}
		w.value = cookie.DecodeValue(w.value)
		w.deleted = given["max-age"] == "0" || strings.Contains(given["expires"], " 1970 ")
		if writes = append(writes, w); w.deleted {
			continue
		}
		seconds, err := strconv.Atoi(given["max-age"])
		if err != nil {
			return nil, o, err
		}
		_, secure := given["secure"]
		_, httpOnly := given["httponly"]
		o = cookie.Options{
			Domain: given["domain"], Insecure: !secure, HTTPOnly: httpOnly, MaxAge: time.Duration(seconds) * time.Second,
			SameSite: map[string]http.SameSite{
				"strict": http.SameSiteStrictMode, "lax": http.SameSiteLaxMode, "none": http.SameSiteNoneMode,
			}[given["samesite"]],
		}
	}
	// Where the response sets nothing, the cookies are those that were there.
	for _, line := range in.InitialSetCookie {
		if o.Domain == "" {
			o.Domain = attributes(line)["domain"]
		}
	}
	return writes, o, nil
}

// TestConformanceBrowserCookies reads the session from Cookie headers that a browser sent after
// Amplify JS had written its cookies. The original's getCurrentUser was recorded on the same
// headers.
func TestConformanceBrowserCookies(t *testing.T) {
	keys := conformance.NewKeys(t)
	now := time.Now()
	conformance.Run(t, "browser-cookies.json", browserExceptions, func(t *testing.T, c conformance.Case) error {
		in, want, tokens, err := decodeBrowserCase(keys, c, now)
		if err != nil {
			return err
		}
		cfg, err := amplify.ParseConfig(bytes.ReplaceAll(in.Config, []byte("{{fakeCognito}}"), []byte("https://cognito.test")))
		if err != nil {
			return err
		}
		app, err := amplify.New(cfg, amplify.Options{
			HTTPClient: &http.Client{Transport: conformance.NewUpstream(keys, refreshed(tokens))},
			Clock:      func() time.Time { return now },
			Logger:     slog.New(slog.DiscardHandler),
		})
		if err != nil {
			return err
		}
		cog, err := cognito.New(app, cognito.Options{})
		if err != nil {
			return err
		}
		defer func() { _ = app.Close(t.Context()) }()
		if err := replay(c, in, want, tokens, now); err != nil {
			return err
		}
		currentUser := func(cookies string) (map[string]any, error) {
			header := http.Header{}
			if cookies != "" {
				header["Cookie"] = []string{cookies}
			}
			kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(header, http.Header{}), cookie.Options{})
			user, err := amplify.RunWithServerContext(t.Context(), app, amplify.Providers{Tokens: cog.TokenProvider(kv)}, auth.GetCurrentUser)
			var e *amplify.Error
			if errors.As(err, &e) {
				return map[string]any{"error": map[string]any{"name": e.Name, "message": e.Message, "recoverySuggestion": e.RecoverySuggestion}}, nil
			}
			return map[string]any{"result": user}, err
		}
		for i, step := range want.Steps {
			if step.Op != "getCurrentUser" || !in.LibraryOptions.SSR {
				continue // not in cookies
			}
			got, err := currentUser(step.Header)
			if err != nil {
				return err
			}
			result := got["result"]
			if e, ok := got["error"].(map[string]any); ok {
				delete(e, "recoverySuggestion") // which was not recorded
				result = got
			}
			if err := conformance.Diff(mustMarshal(step.asked["result"]), result); err != nil {
				return fmt.Errorf("the user of step %d: %w", i, err)
			}
		}
		for i, read := range want.ServerReads {
			if read.Step >= len(want.Steps) {
				return fmt.Errorf("read %d: there is no step %d", i, read.Step)
			}
			if read.Context != "nextRequest+response" && read.Context != "getServerSideProps" {
				return fmt.Errorf("read %d: unknown context %q", i, read.Context)
			}
			got, err := currentUser(want.Steps[read.Step].Header)
			if err != nil {
				return fmt.Errorf("step %d: %w", read.Step, err)
			}
			got["api"], got["step"], got["context"] = "getCurrentUser", read.Step, read.Context
			if err := conformance.Diff(read.raw, got); err != nil {
				return fmt.Errorf("read %d, of step %d: %w", i, read.Step, err)
			}
		}
		return nil
	})
}

// replay lets the model of a browser do what scripts and the browser were recorded to do, and
// compares what cookies there are after each step. What scripts write is what we write.
func replay(c conformance.Case, in browserInput, want browserExpected, tokens *conformance.Tokens, now time.Time) error {
	j := newJar(in.Origin, now)
	for i, step := range want.Steps {
		if step.Op == "new CookieStorage" { // what it was given cannot be used
			o := cookie.Options{Domain: in.CookieStorage.Domain, Insecure: !in.CookieStorage.Secure}
			if in.CookieStorage.SameSite == "none" {
				o.SameSite = http.SameSiteNoneMode
			}
			if _, failed := step.asked["result"].(map[string]any)["error"]; failed != (o.Validate() != nil) {
				return fmt.Errorf("the options %+v are judged otherwise: %w", o, o.Validate())
			}
			continue
		}
		if i < len(in.Steps) {
			for member, value := range in.Steps[i] {
				if err := conformance.Diff(mustMarshal(value), step.asked[member]); err != nil {
					return fmt.Errorf("step %d: another %s was asked: %w", i, member, err)
				}
			}
		}
		if step.Jar == nil {
			continue // the step failed before it did anything
		}
		if step.Op == "deleteCookie" { // by the browser, not by script
			j.delete(step.Name)
		}
		for _, line := range step.Writes {
			if err := sameSpelling(line); err != nil && step.Op != "setCookie" {
				return fmt.Errorf("step %d: %w", i, err)
			}
			j.set(fillDates(line, now), in.Page, true)
		}
		if got := j.header("/page"); got != step.Header {
			return fmt.Errorf("step %d: header %s\nwant %s", i, tokens.Blank(got), tokens.Blank(step.Header))
		}
		if err := conformance.Diff(step.Jar, j.cookies()); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		if i == len(want.Steps)-1 {
			if err := conformance.Diff(want.Jar, j.cookies()); err != nil || want.Header != step.Header {
				return fmt.Errorf("what repeats the last step does not: %w", err)
			}
		}
	}
	return nil
}

// sameSpelling compares the names and values that a script wrote with what we would write.
func sameSpelling(line string) error {
	pair, _, _ := strings.Cut(line, ";")
	name, value, _ := strings.Cut(pair, "=")
	if got := cookie.EncodeName(cookie.DecodeName(name)); got != name {
		return fmt.Errorf("writes %q, recorded %q", got, name)
	}
	if got := cookie.EncodeValue(cookie.DecodeValue(value)); got != value {
		return fmt.Errorf("writes %q, recorded %q", got, value)
	}
	return nil
}

// refreshed lets the user pool refresh expired sessions, to the second pair of tokens of the case.
func refreshed(tokens *conformance.Tokens) map[string][]conformance.Answer {
	if tokens.ByName["access2"] == "" {
		return nil
	}
	return map[string][]conformance.Answer{"GetTokensFromRefreshToken": {{Status: 200, JSON: mustMarshal(map[string]any{
		"AuthenticationResult": map[string]any{
			"AccessToken": tokens.ByName["access2"], "IdToken": tokens.ByName["id2"], "ExpiresIn": 3600, "TokenType": "Bearer",
		},
	})}}}
}

// TestBrowserJar tests the model of a browser that other tests use: it must keep what the real
// browser kept of the same cookies.
func TestBrowserJar(t *testing.T) {
	now := time.Now()
	for _, c := range conformance.Load(t, "browser-set-cookie.json") {
		t.Run(c.ID, func(t *testing.T) {
			in, want, err := decodeSetCookieCase(c)
			if err != nil {
				t.Fatal(err)
			}
			j := newJar(in.Origin, now)
			for _, line := range in.InitialSetCookie {
				j.set(line, "/", false)
			}
			for _, line := range in.SetCookie {
				j.set(line, in.RequestPath, false)
			}
			if got := j.header("/page"); got != want.Header {
				t.Errorf("header %s\nwant %s", got, want.Header)
			}
			if err := conformance.Diff(want.Jar, j.cookies()); err != nil {
				t.Error(err)
			}
		})
	}
}

type setCookieInput struct {
	Origin           string   `json:"origin"`
	RequestPath      string   `json:"requestPath"`
	InitialSetCookie []string `json:"initialSetCookie"`
	SetCookie        []string `json:"setCookie"`
}

type setCookieExpected struct {
	Jar    json.RawMessage `json:"jar"`
	Header string          `json:"cookieHeaderOfNextRequestToPage"`
}

func decodeSetCookieCase(c conformance.Case) (in setCookieInput, want setCookieExpected, err error) {
	return in, want, errors.Join(json.Unmarshal(c.Input, &in), json.Unmarshal(c.Expected, &want))
}

type browserInput struct {
	Origin string           `json:"origin"`
	Page   string           `json:"page"`
	Config json.RawMessage  `json:"config"`
	Steps  []map[string]any `json:"steps"`

	LibraryOptions struct {
		SSR bool `json:"ssr"`
	} `json:"libraryOptions"`
	CookieStorage struct {
		Domain   string `json:"domain"`
		SameSite string `json:"sameSite"`
		Secure   bool   `json:"secure"`
	} `json:"cookieStorage"`
}

type browserExpected struct {
	Steps       []browserStep   `json:"steps"`
	Jar         json.RawMessage `json:"jar"`
	Header      string          `json:"cookieHeader"`
	ServerReads []serverRead    `json:"serverReads"`
}

type browserStep struct {
	Op     string          `json:"op"`
	Name   string          `json:"name"`
	Writes []string        `json:"documentCookieWrites"`
	Header string          `json:"cookieHeader"`
	Jar    json.RawMessage `json:"jar"`
	asked  map[string]any  // all members
}

func (s *browserStep) UnmarshalJSON(b []byte) error {
	type members browserStep
	return errors.Join(json.Unmarshal(b, (*members)(s)), json.Unmarshal(b, &s.asked))
}

type serverRead struct {
	Step    int    `json:"step"`
	Context string `json:"context"`
	raw     json.RawMessage
}

func (r *serverRead) UnmarshalJSON(b []byte) error {
	type members serverRead
	r.raw = slices.Clone(b)
	return json.Unmarshal(b, (*members)(r))
}

func decodeBrowserCase(keys *conformance.Keys, c conformance.Case, now time.Time) (in browserInput, want browserExpected, tokens *conformance.Tokens, err error) {
	tokens, err = keys.Mint(c, now)
	if err != nil {
		return in, want, nil, err
	}
	return in, want, tokens, errors.Join(tokens.Fill(c.Input, &in), tokens.Fill(c.Expected, &want))
}

var datePlaceholder = regexp.MustCompile(`\{\{now([+-]\d+)d\}\}`)

// fillDates puts dates in place of {{now+Nd}}.
func fillDates(s string, now time.Time) string {
	return datePlaceholder.ReplaceAllStringFunc(s, func(p string) string {
		days, err := strconv.Atoi(datePlaceholder.FindStringSubmatch(p)[1])
		if err != nil {
			panic(err) // matched \d+
		}
		// What an HTTP date cannot say is rounded up, so that N days stay N days.
		return now.AddDate(0, 0, days).Add(time.Second).UTC().Format(http.TimeFormat)
	})
}
