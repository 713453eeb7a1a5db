package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/cookie"
)

const (
	// maxRequestFile bounds what is read of a file with requests. HAR files hold whole pages.
	maxRequestFile = 256 << 20
	// maxCurlFile bounds commands of cURL, which hold no pages, and maxRequests how many requests
	// are looked at.
	maxCurlFile = 32 << 20
	maxRequests = 100_000
	// maxSessions bounds how many sessions are examined at once.
	maxSessions = 10
)

// readFile reads a file, or standard input if its name is "-". It fails beyond a number of bytes.
func readFile(path string, stdin io.Reader, most int64) (string, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	switch {
	case err != nil:
		return "", err
	case int64(len(text)) > most:
		return "", fmt.Errorf("it has more than %d bytes", most)
	}
	return strings.TrimPrefix(string(text), "\ufeff"), nil // a byte order mark, as of Windows
}

// parseRequests reads what the developer tools of browsers save: commands of cURL, or a HAR file.
// Errors quote nothing of it, since it holds secrets.
func parseRequests(text string) ([]*http.Request, error) {
	switch {
	case isCurl(text) && len(text) > maxCurlFile:
		return nil, fmt.Errorf("the commands have more than %d bytes: copy one request", maxCurlFile)
	case isCurl(text):
		return parseCurl(text)
	case strings.HasPrefix(strings.TrimSpace(text), "{"):
		return parseHAR(text)
	}
	return nil, errors.New("that is neither a command of cURL nor a HAR file: " +
		"use \"Copy as cURL\" or \"Save all as HAR\" of the browser's developer tools")
}

// Files may come from others: these errors are about what no browser saves.
var (
	errManyRequests = fmt.Errorf("there are more than %d requests: save one page", maxRequests)
	errLargeHeader  = fmt.Errorf("a request has a header of more than %d bytes, which no server takes",
		maxCookieFile)
)

// parseHAR reads the requests of a HAR file (http://www.softwareishard.com/blog/har-12-spec/).
func parseHAR(text string) ([]*http.Request, error) {
	var har struct{ Log struct{ Entries harRequests } }
	switch err := json.Unmarshal([]byte(text), &har); {
	case errors.Is(err, errManyRequests), errors.Is(err, errLargeHeader):
		return nil, err
	case err != nil:
		return nil, errors.New("that is no HAR file: it is not the JSON of one") // err may quote it
	}
	requests := har.Log.Entries
	identified := slices.ContainsFunc(requests, func(r *http.Request) bool {
		return len(r.Header["Cookie"]) > 0 || len(r.Header["Authorization"]) > 0
	})
	switch {
	case len(requests) == 0:
		return nil, errors.New("the HAR file has no requests")
	case !identified:
		return nil, errors.New("no request of the HAR file has cookies: " +
			"export it with sensitive data, which browsers leave out by default")
	}
	return requests, nil
}

// harRequests are the requests of the entries of a HAR file. They are read one by one: an entry
// without anything would take thirty times its three bytes.
type harRequests []*http.Request

// UnmarshalJSON implements [json.Unmarshaler].
func (h *harRequests) UnmarshalJSON(b []byte) error {
	entries := json.NewDecoder(bytes.NewReader(b))
	if begin, err := entries.Token(); err != nil || begin != json.Delim('[') {
		return errors.Join(err, errors.New("the entries are no array"))
	}
	for n := 0; entries.More(); n++ {
		if n == maxRequests {
			return errManyRequests
		}
		var entry struct {
			Request struct {
				Method, URL      string
				Headers, Cookies harPairs
			}
		}
		if err := entries.Decode(&entry); err != nil {
			return err
		}
		header := http.Header{}
		for _, h := range entry.Request.Headers {
			if !strings.HasPrefix(h.Name, ":") { // of HTTP/2
				header.Add(h.Name, h.Value)
			}
		}
		if len(header["Cookie"]) == 0 {
			var line []string
			for _, c := range entry.Request.Cookies {
				line = append(line, c.Name+"="+c.Value)
			}
			if len(line) > 0 {
				header.Set("Cookie", strings.Join(line, "; "))
			}
		}
		if r, err := newRequest(entry.Request.Method, entry.Request.URL, header); err == nil {
			*h = append(*h, r) // others are data:, blob: and the like
		}
	}
	return nil
}

// harPairs are headers or cookies of a request.
type harPairs []struct{ Name, Value string }

// UnmarshalJSON implements [json.Unmarshaler].
func (h *harPairs) UnmarshalJSON(b []byte) error {
	if len(b) > maxCookieFile {
		return errLargeHeader
	}
	type pairs harPairs // without this method
	return json.Unmarshal(b, (*pairs)(h))
}

// newRequest returns a request to examine. Its error quotes nothing.
func newRequest(method, address string, h http.Header) (*http.Request, error) {
	u, err := url.Parse(address)
	if err == nil && u.Scheme == "" { // as for curl
		u, err = url.Parse("http://" + address)
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("a request has no http or https URL")
	}
	u.User = nil // which nobody asks for, and which may be secret
	isControl := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	size := 0
	for name, lines := range h {
		for _, line := range lines {
			size += len(name) + len(line)
		}
		if size > maxCookieFile {
			return nil, errLargeHeader
		}
		if strings.ContainsFunc(strings.Join(lines, ""), isControl) {
			return nil, errors.New("a header of a request has control characters")
		}
	}
	return &http.Request{Method: method, URL: u, Host: u.Host, Header: h}, nil
}

// chooseRequests returns one request of each session in requests: of those for page, or of all if
// page is "". Requests without a session count only if there is none with one.
func chooseRequests(requests []*http.Request, page string, bearer bool) ([]*http.Request, error) {
	if page != "" {
		all := requests
		requests = nil
		for _, r := range all {
			if u, err := url.Parse(page); err == nil && withoutQuery(u) == withoutQuery(r.URL) {
				requests = append(requests, r)
			}
		}
		if len(requests) == 0 {
			return nil, fmt.Errorf("none of the %d requests is for the page that --url names; there is %q",
				len(all), withoutQuery(all[0].URL))
		}
	}
	var (
		chosen []*http.Request
		seen   = map[string]bool{}
	)
	for _, r := range requests {
		if s := sessionOf(r, bearer); s != "" && !seen[s] {
			seen[s], chosen = true, append(chosen, r)
		}
	}
	switch {
	case len(chosen) == 0:
		return requests[:1], nil
	case len(chosen) > maxSessions:
		return nil, fmt.Errorf("there are %d sessions, more than %d: choose a page by --url",
			len(chosen), maxSessions)
	}
	return chosen, nil
}

// withoutQuery returns an address without what may be secret.
func withoutQuery(u *url.URL) string {
	return u.Scheme + "://" + u.Host + "/" + strings.TrimPrefix(u.EscapedPath(), "/")
}

// sessionOf returns what tells sessions apart, or "" if a request has none.
func sessionOf(r *http.Request, bearer bool) string {
	if token := r.Header.Get("Authorization"); bearer && token != "" {
		return token
	}
	var parts []string
	for name, value := range cookie.Parse(r.Header["Cookie"]) {
		if strings.HasPrefix(name, "CognitoIdentityServiceProvider.") {
			parts = append(parts, name+"="+value)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}
