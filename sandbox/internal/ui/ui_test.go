package ui

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestCheckForm(t *testing.T) {
	token, other := NewToken(), NewToken()
	for _, c := range []struct {
		name           string
		cookie, field  string
		header         map[string]string
		body           string
		wantFormAccept bool
	}{
		{name: "own page", cookie: token, field: token, header: map[string]string{"Sec-Fetch-Site": "same-origin"}, wantFormAccept: true},
		{name: "own page, older browser", cookie: token, field: token, header: map[string]string{"Origin": "http://sandbox.test"}, wantFormAccept: true},
		{name: "neither header", cookie: token, field: token, wantFormAccept: true},
		{name: "another site", cookie: token, field: token, header: map[string]string{"Sec-Fetch-Site": "cross-site"}},
		{name: "another port of the host", cookie: token, field: token, header: map[string]string{"Sec-Fetch-Site": "same-site"}},
		{name: "another origin", cookie: token, field: token, header: map[string]string{"Origin": "http://sandbox.test:3000"}},
		{name: "opaque origin", cookie: token, field: token, header: map[string]string{"Origin": "null"}},
		{name: "no token", cookie: token},
		{name: "no cookie", field: token},
		{name: "another token", cookie: token, field: other},
		{name: "both empty"},
		{name: "both too short", cookie: "a", field: "a"},
		{name: "malformed", cookie: token, body: "csrf=" + token + "&x=%zz"},
		{name: "too large", cookie: token, body: "csrf=" + token + "&x=" + strings.Repeat("x", MaxForm)},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := c.body
			if body == "" {
				body = url.Values{FormTokenField: {c.field}}.Encode()
			}
			r := httptest.NewRequest("POST", "http://sandbox.test/form", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.cookie != "" {
				r.AddCookie(&http.Cookie{Name: formTokenCookie, Value: c.cookie})
			}
			for k, v := range c.header {
				r.Header.Set(k, v)
			}
			err := CheckForm(httptest.NewRecorder(), r)
			if (err == nil) != c.wantFormAccept || err != nil && !errors.Is(err, ErrForm) {
				t.Errorf("CheckForm: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Error("the error contains the token")
			}
		})
	}
}

// The token in the query string is no proof: a link can carry it, too.
func TestCheckFormIgnoresTheQuery(t *testing.T) {
	token := NewToken()
	r := httptest.NewRequest("POST", "/form?csrf="+token, nil)
	r.AddCookie(&http.Cookie{Name: formTokenCookie, Value: token})
	if CheckForm(httptest.NewRecorder(), r) == nil {
		t.Error("a token in the query string was accepted")
	}
}

func TestFormToken(t *testing.T) {
	w := httptest.NewRecorder()
	first := FormToken(w, httptest.NewRequest("GET", "/", nil))
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || cookies[0].Value != first || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" || cookies[0].Secure {
		t.Fatalf("cookies: %v", cookies)
	}
	r := httptest.NewRequest("GET", "https://sandbox.test/", nil)
	r.AddCookie(&http.Cookie{Name: formTokenCookie, Value: first})
	w = httptest.NewRecorder()
	if FormToken(w, r) != first || len(w.Result().Cookies()) != 0 {
		t.Error("a browser that has a token was given another one: forms in other tabs would break")
	}
	r = httptest.NewRequest("GET", "https://sandbox.test/", nil)
	r.AddCookie(&http.Cookie{Name: formTokenCookie, Value: "chosen-by-somebody"})
	w = httptest.NewRecorder()
	if FormToken(w, r) == "chosen-by-somebody" {
		t.Error("a token that is none was kept")
	}
	if c := w.Result().Cookies(); len(c) != 1 || !c[0].Secure {
		t.Errorf("over TLS: %v", c)
	}
}

func TestAssets(t *testing.T) {
	a := NewAssets()
	for name, path := range a.paths {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != 200 || w.Body.Len() == 0 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	if got := a.paths["style.css"]; !regexp.MustCompile(`^/assets/style\.[0-9a-f]{12}\.css$`).MatchString(got) {
		t.Errorf("path of the style sheet: %s", got)
	}
	for _, path := range []string{"/assets/", "/assets/style.css", "/assets/../assets.go", "/assets/frame.html"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		a.ServeHTTP(w, r)
		if w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestPagesAreCompleteOrNothing(t *testing.T) {
	p := NewPages(fstest.MapFS{
		"pages/_layout.html": {Data: []byte(`{{define "layout"}}<p>{{template "content" .}}</p>{{end}}`)},
		"pages/good.html":    {Data: []byte(`{{define "content"}}{{.}}{{end}}`)},
		"pages/bad.html":     {Data: []byte(`{{define "content"}}before{{.Missing}}{{end}}`)},
	}, "pages")
	w := httptest.NewRecorder()
	if err := p.Write(w, 418, "good", "<b>"); err != nil || w.Code != 418 || w.Body.String() != "<p>&lt;b&gt;</p>" {
		t.Errorf("%v: %d %s", err, w.Code, w.Body)
	}
	for header, want := range map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Cache-Control":           "no-store",
		"X-Frame-Options":         "DENY",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "same-origin",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
	} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	for _, page := range []string{"bad", "missing"} {
		w = httptest.NewRecorder()
		if err := p.Write(w, 200, page, map[string]string{}); err == nil || w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("%s: %v, sent %q", page, err, w.Body)
		}
	}
}
