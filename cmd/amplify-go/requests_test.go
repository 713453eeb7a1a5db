package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The commands that browsers copied for a request of https://app.test/home with two cookies, one of
// them with characters that need quotes.
const (
	chromePOSIX = `curl 'https://app.test/home?a=1&b=2' \
  -H 'accept: text/html,application/xhtml+xml;q=0.9' \
  -b $'theme=dark; quote=it\'s \u0021\u0021' \
  -H 'sec-ch-ua: "Chromium";v="142"' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)'`
	chromeHeader = `curl 'https://app.test/home?a=1&b=2' \
  -H 'cookie: theme=dark; quote=it'\''s !!' \
  --compressed`
	chromeWindows = "curl ^\"https://app.test/home?a=1^&b=2^\" ^\r\n" +
		"  -H ^\"accept: text/html,application/xhtml+xml;q=0.9^\" ^\r\n" +
		"  -b ^\"theme=dark; quote=it's ^!^!^\" ^\r\n" +
		"  -H ^\"sec-ch-ua: ^\\^\"Chromium^\\^\";v=^\\^\"142^\\^\"^\" ^\r\n" +
		"  -H ^\"user-agent: Mozilla/5.0 (X11; Linux x86_64)^\""
	oldWindows = "curl \"https://app.test/home?a=1&b=2\" ^\n" +
		"  -H \"accept: text/html\" ^\n" +
		"  -H \"Cookie: theme=dark; quote=it's !!\" ^\n" +
		"  -H \"sec-ch-ua: \"\"Chromium\"\";v=\\\"142\\\"\" --compressed"
	firefoxPOSIX = `curl 'https://app.test/home?a=1&b=2' --compressed -H 'User-Agent: Mozilla/5.0' -H 'Accept: text/html' -H $'Cookie: theme=dark; quote=it\'s \u0021\u0021' -H 'Connection: keep-alive'`
	safari       = `curl 'https://app.test/home?a=1&b=2' \
-X 'GET' \
-H 'Accept: text/html' \
-H $'Cookie: theme=dark; quote=it\'s \x21\041' \
-H 'User-Agent: Mozilla/5.0'`
	byHand = `curl -sS --cookie "theme=dark; quote=it's !!" -XGET -o /dev/null --url https://app.test/home?a=1\&b=2`
	post   = `curl 'https://app.test/home?a=1&b=2' -X 'POST' -H 'cookie: theme=dark; quote=it'"'"'s !!' --data-raw $'{"a":"-b x=y"}'`
)

func TestCurl(t *testing.T) {
	for name, text := range map[string]string{
		"Chrome": chromePOSIX, "Chrome of old": chromeHeader, "Chrome, cmd": chromeWindows, "Chrome of old, cmd": oldWindows,
		"Firefox": firefoxPOSIX, "Safari": safari, "by hand": byHand, "POST": post, "with CRLF": strings.ReplaceAll(chromePOSIX, "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			requests, err := parseRequests(text)
			if err != nil || len(requests) != 1 {
				t.Fatalf("%d requests, %v", len(requests), err)
			}
			r := requests[0]
			method := http.MethodGet
			if name == "POST" {
				method = name
			}
			if r.Method != method || r.URL.String() != "https://app.test/home?a=1&b=2" || r.Host != "app.test" {
				t.Errorf("%s %s", r.Method, r.URL)
			}
			if got, want := r.Header["Cookie"], []string{"theme=dark; quote=it's !!"}; !slices.Equal(got, want) {
				t.Errorf("cookies %q, want %q", got, want)
			}
			if ua := r.Header.Get("Sec-Ch-Ua"); ua != "" && ua != `"Chromium";v="142"` {
				t.Errorf("sec-ch-ua %s", ua)
			}
		})
	}
}

// TestSeveralCommands: those of "Copy all as cURL".
func TestSeveralCommands(t *testing.T) {
	for name, text := range map[string]string{
		"POSIX":   "curl 'https://app.test/a' -b 'x=1' ;\ncurl 'https://app.test/b' \\\n -b 'x=2' ;\n",
		"Windows": "curl ^\"https://app.test/a^\" -b ^\"x=1^\" &\r\ncurl ^\"https://app.test/b^\" ^\r\n -b ^\"x=2^\"",
	} {
		requests, err := parseRequests(text)
		if err != nil || len(requests) != 2 || requests[1].URL.Path != "/b" || requests[1].Header.Get("Cookie") != "x=2" {
			t.Errorf("%s: %v, %v", name, requests, err)
		}
	}
}

func TestBearerOfCurl(t *testing.T) {
	for _, text := range []string{"curl https://a.test -H 'authorization: Bearer abc'", "curl https://a.test --oauth2-bearer abc"} {
		requests, err := parseRequests(text)
		if err != nil || requests[0].Header.Get("Authorization") != "Bearer abc" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// harOf returns a HAR file with entries of JSON.
func harOf(entries ...string) string {
	return `{"log": {"version": "1.2", "creator": {"name": "x"}, "entries": [` + strings.Join(entries, ", ") + `]}}`
}

// harEntry is what a browser keeps of a GET with cookies.
func harEntry(address, cookies string) string {
	header, _ := json.Marshal(cookies)
	return fmt.Sprintf(`{"request": {"method": "GET", "url": %q, "headers": [{"name": ":authority", "value": "x"}, {"name": "cookie", "value": %s}]}, "response": {"status": 200}}`,
		address, header)
}

func TestHAR(t *testing.T) {
	requests, err := parseRequests("\n" + harOf(
		harEntry("https://app.test/home?x=1", "a=b; c=d"),
		`{"request": {"method": "POST", "url": "https://app.test/api", "headers": [], "cookies": [{"name": "a", "value": "b"}, {"name": "c", "value": "d"}]}}`,
		`{"request": {"method": "GET", "url": "data:text/plain,x", "headers": []}}`,
		`{"request": {"method": "GET", "url": "https://cdn.test/", "headers": null}}`,
	))
	if err != nil || len(requests) != 3 {
		t.Fatalf("%d requests, %v", len(requests), err)
	}
	for i, want := range []string{"GET https://app.test/home?x=1 a=b; c=d", "POST https://app.test/api a=b; c=d", "GET https://cdn.test/ "} {
		if got := requests[i].Method + " " + requests[i].URL.String() + " " + requests[i].Header.Get("Cookie"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestBadRequests: errors say what to do, and quote nothing.
func TestBadRequests(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "Copy as cURL",
		"secret=1; secret=2":                "neither",
		"wget https://a.test":               "neither",
		"{":                                 "no HAR file",
		`{"log": {"entries": "secret"}}`:    "no HAR file",
		`{"log": {"entries": []}}`:          "no requests",
		harOf(harEntry("blob:secret", "a")): "no requests",
		`{"log": {"entries": [{"request": {"method": "GET", "url": "https://a.test"}}]}}`: "with sensitive data",
		"curl -b secret https://a.test":           "--cookie-file",
		"curl 'secret":                            "not closed",
		`curl "secret`:                            "not closed",
		"curl $'secret\\'":                        "not closed",
		"curl ^\"secret":                          "not closed",
		"curl https://a.test -H":                  "ends in the middle",
		"curl -b a=b":                             "no http or https URL",
		"curl ftp://secret@a.test":                "no http or https URL",
		"curl https://a.test -b $'a=\\x00secret'": "control characters",
		"curl https://a.test -b a=b\nsecret":      "none of curl",
		harOf(harEntry("https://a.test/secret", "a=b"), `{"request": "sec"}`): "no HAR file",
	} {
		requests, err := parseRequests(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %d requests, %v; want %q", text, len(requests), err, want)
		}
	}
}

// TestHugeRequests: what others have made up to fill the memory is refused before it does.
func TestHugeRequests(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"commands":           {strings.Repeat("curl a\n", maxRequests+1), "more than 100000 requests"},
		"words":              {"curl" + strings.Repeat(" a", maxCurlFile/2), "copy one request"},
		"a header":           {"curl https://a.test -b a=" + strings.Repeat("x", maxCookieFile), "no server takes"},
		"headers":            {"curl https://a.test" + strings.Repeat(" -H a:b", maxCookieFile), "no server takes"},
		"entries":            {harOf(strings.Repeat("{},", maxRequests) + "{}"), "more than 100000 requests"},
		"headers of a HAR":   {harOf(`{"request": {"headers": [` + strings.Repeat("{},", maxCookieFile/3) + `{}]}}`), "no server takes"},
		"cookies of a HAR":   {harOf(`{"request": {"cookies": [` + strings.Repeat("{},", maxCookieFile/3) + `{}]}}`), "no server takes"},
		"arrays in a HAR":    {`{"log": ` + strings.Repeat("[", maxRequests), "no HAR file"},
		"entries without []": {`{"log": {"entries": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`, "no HAR file"},
	} {
		requests, err := parseRequests(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d requests, %v", name, len(requests), err)
		}
	}
}

func TestChooseRequests(t *testing.T) {
	const session = "CognitoIdentityServiceProvider.x.LastAuthUser="
	var requests []*http.Request
	for _, r := range []struct{ address, cookies, bearer string }{
		{"https://cdn.test/a.js", "", ""},
		{"https://app.test/home", "theme=dark; " + session + "1", ""},
		{"https://app.test/home?again", session + "1; theme=light", ""},
		{"https://app.test/api", session + "2", "Bearer x"},
		{"https://app.test/api", session + "2", "Bearer y"},
		{"https://app.test", "theme=dark", ""},
	} {
		request, err := newRequest("GET", r.address, http.Header{"Cookie": {r.cookies}, "Authorization": {r.bearer}})
		if err != nil {
			t.Fatal(err)
		}
		requests = append(requests, request)
	}
	for _, test := range []struct {
		page   string
		bearer bool
		want   []int
	}{
		{"", false, []int{1, 3}},
		{"", true, []int{1, 3, 4}},
		{"https://app.test/home?other", false, []int{1}},
		{"https://app.test/api#x", true, []int{3, 4}},
		{"https://app.test/", false, []int{5}},
		{"https://elsewhere.test/home", false, nil},
	} {
		got, err := chooseRequests(requests, test.page, test.bearer)
		var want []*http.Request
		for _, i := range test.want {
			want = append(want, requests[i])
		}
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%+v: %d requests, %v", test, len(got), err)
		}
	}
	var many []*http.Request
	for i := range maxSessions + 1 {
		r, _ := newRequest("GET", "https://app.test", http.Header{"Cookie": {session + fmt.Sprint(i)}})
		many = append(many, r)
	}
	if _, err := chooseRequests(many, "", false); err == nil || !strings.Contains(err.Error(), "--url") {
		t.Errorf("%d sessions: %v", len(many), err)
	}
}

// FuzzParseRequests: whatever the text, there are requests that can be examined, or an error that
// quotes nothing of it.
func FuzzParseRequests(f *testing.F) {
	for _, seed := range []string{
		chromePOSIX, chromeHeader, chromeWindows, oldWindows, firefoxPOSIX, safari, byHand, post,
		harOf(harEntry("https://app.test/home", "a=b")), harOf(`{"request": {"cookies": [{}], "headers": [{}], "url": "https://a"}}`),
		"curl $'\\u00e9\\U0001F600\\777\\c' https://a -b 'a=b'; curl", "curl ^", "curl \\", "curl ^\"\\\\\\^\"\"\" ^\n\n^", "curl -", "{}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		requests, err := parseRequests(text)
		if err != nil {
			for i := 0; i+40 <= len(text); i++ {
				if strings.Contains(err.Error(), text[i:i+40]) {
					t.Fatalf("the error quotes the text: %v", err)
				}
			}
			return
		}
		if len(requests) == 0 {
			t.Fatal("neither a request nor an error")
		}
		for _, r := range requests {
			if r.URL.Host == "" || r.URL.User != nil || strings.ContainsAny(strings.Join(r.Header["Cookie"], ""), "\x00\r\n") {
				t.Errorf("%+v", r)
			}
		}
		_, _ = chooseRequests(requests, "", true)
	})
}

// FuzzCurlQuotes: what browsers quote comes out as it went in. The quoting follows
// escapeStringPosix and escapeStringWin of Chrome's developer tools.
func FuzzCurlQuotes(f *testing.F) {
	for _, seed := range []string{"a=b; c=d", "it's !", `quote="x"; 50%25 ^ & | < > ()`, "tab\there", "é ü 日本", "$HOME `x` ${y}", "%PATH%", "^^", ""} {
		f.Add(seed)
	}
	const longest = 200
	posix := func(s string) string {
		if !regexp.MustCompile(`[\x00-\x1F\x7F!']`).MatchString(s) {
			return "'" + s + "'"
		}
		s = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`).Replace(s)
		return "$'" + regexp.MustCompile(`[\x00-\x1F\x7F!]`).ReplaceAllStringFunc(s, func(c string) string {
			return fmt.Sprintf(`\u%04x`, c[0])
		}) + "'"
	}
	windows := func(s string) string {
		s = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
		s = regexp.MustCompile("[^a-zA-Z0-9\\s_\\-:=+~'/.',?;()*`]").ReplaceAllString(s, "^$0")
		return `^"` + regexp.MustCompile(`%([a-zA-Z0-9_])`).ReplaceAllString(s, "%^$1") + `^"`
	}
	f.Fuzz(func(t *testing.T, value string) {
		value = strings.TrimSpace(strings.ToValidUTF8(strings.Map(func(r rune) rune {
			if r < ' ' || r >= 0x7f && r < 0xa0 {
				return -1
			}
			return r
		}, value), ""))
		if len(value) > longest {
			return
		}
		for shell, quote := range map[string]func(string) string{"POSIX": posix, "Windows": windows} {
			if shell == "Windows" && strings.Contains(value, `\`) {
				continue // Chrome doubles those that need not be doubled: curl gets two
			}
			text := "curl " + quote("https://app.test/") + " -H " + quote("x-value: "+value)
			requests, err := parseRequests(text)
			if err != nil || len(requests) != 1 || requests[0].Header.Get("X-Value") != value {
				t.Errorf("%s: %s: %v", shell, text, err)
			}
		}
	})
}
