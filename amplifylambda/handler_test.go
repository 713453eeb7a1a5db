package amplifylambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// Events as the guides of AWS show them, cut to what decides. %s is what a test puts in.
const (
	functionURL = `{"version": "2.0", "routeKey": "$default", "rawPath": %q, "rawQueryString": %q,
		"cookies": ["a=1", "b=2"],
		"headers": {"host": "id.lambda-url.us-east-1.on.aws", "cookie": "a=1; b=2",
			"accept": "text/html,application/xml;q=0.9", "x-forwarded-proto": "https"},
		"requestContext": {"accountId": "anonymous", "apiId": "id",
			"domainName": "id.lambda-url.us-east-1.on.aws", "domainPrefix": "id",
			"http": {"method": "POST", "path": "/", "protocol": "HTTP/1.1",
				"sourceIp": "192.0.2.1", "userAgent": "agent"}, "stage": "$default"},
		"body": "bm90ZT0\u002fPw==", "isBase64Encoded": true}`
	httpAPI = `{"version": "2.0", "routeKey": "$default", "rawPath": %q, "rawQueryString": %q,
		"cookies": ["a=1", "b=2"],
		"headers": {"host": "api.example.com", "accept": "text/html,application/xml;q=0.9",
			"x-forwarded-proto": "https"},
		"requestContext": {"apiId": "id", "domainName": "api.example.com",
			"http": {"method": "POST", "path": "/", "protocol": "HTTP/1.1",
				"sourceIp": "2001:db8::1", "userAgent": "agent"}, "stage": "$default"},
		"body": "note=??", "isBase64Encoded": false}`
	restAPI = `{"resource": "/{proxy+}", "path": %q, "httpMethod": "POST",
		"headers": {"Host": "id.execute-api.us-east-1.amazonaws.com", "Cookie": "b=2"},
		"multiValueHeaders": {"Host": ["id.execute-api.us-east-1.amazonaws.com"],
			"Cookie": ["a=1", "b=2"], "accept": ["text/html,application/xml;q=0.9"],
			"X-Forwarded-Proto": ["https"]},
		"multiValueQueryStringParameters": %s,
		"requestContext": {"resourcePath": "/{proxy+}", "httpMethod": "POST", "path": %q,
			"stage": "dev", "domainName": "id.execute-api.us-east-1.amazonaws.com",
			"identity": {"sourceIp": "192.0.2.1"}, "authorizer": null},
		"body": "note=??", "isBase64Encoded": false}`
	httpAPI1 = `{"version": "1.0", "resource": "$default", "path": %q, "httpMethod": "POST",
		"multiValueHeaders": {"Host": ["api.example.com"], "Cookie": ["a=1; b=2"],
			"accept": ["text/html,application/xml;q=0.9"], "X-Forwarded-Proto": ["https"]},
		"multiValueQueryStringParameters": %s,
		"requestContext": {"httpMethod": "POST", "path": %[1]q, "stage": "$default",
			"domainName": "api.example.com", "identity": {"sourceIp": "192.0.2.1"}},
		"body": "note=??", "isBase64Encoded": false}`
	loadBalancer = `{"requestContext": {"elb": {"targetGroupArn":
			"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/lambda-target/abc"}},
		"httpMethod": "POST", "path": %q, "multiValueQueryStringParameters": %s,
		"multiValueHeaders": {"host": ["app.example.com"], "cookie": ["a=1", "b=2"],
			"accept": ["text/html,application/xml;q=0.9"],
			"x-forwarded-for": ["203.0.113.9, 192.0.2.1"], "x-forwarded-proto": ["https"]},
		"body": "bm90ZT0/Pw==", "isBase64Encoded": true}`
)

// function is what Lambda calls.
type function = func(context.Context, json.RawMessage) (any, error)

// invoke calls f as the runtime of Lambda does.
func invoke(ctx context.Context, f function, event string) ([]byte, error) {
	return lambda.NewHandler(f).Invoke(ctx, []byte(event))
}

// TestRequests: each kind of event becomes the request that net/http would have made of it.
func TestRequests(t *testing.T) {
	for name, test := range map[string]struct {
		event      string
		requestURI string
		path, raw  string // of r.URL
		host       string
		cookies    []string
		remote     string
	}{
		"function URL": {
			fmt.Sprintf(functionURL, "/a%2Fb/%2568", "q=%2F&q=2&x=a+b"),
			"/a%2Fb/%2568?q=%2F&q=2&x=a+b", "/a/b/%68", "/a%2Fb/%2568",
			"id.lambda-url.us-east-1.on.aws", []string{"a=1; b=2"}, "192.0.2.1:0",
		},
		"unclean path": {
			fmt.Sprintf(functionURL, "//home/../x;y=1/", ""),
			"//home/../x;y=1/", "//home/../x;y=1/", "",
			"id.lambda-url.us-east-1.on.aws", []string{"a=1; b=2"}, "192.0.2.1:0",
		},
		"HTTP API": {
			fmt.Sprintf(httpAPI, "/a b/%2F?c#d/é", "q=%2F&q=2"),
			"/a%20b/%252F%3Fc%23d/%C3%A9?q=%2F&q=2", "/a b/%2F?c#d/é", "",
			"api.example.com", []string{"a=1; b=2"}, "[2001:db8::1]:0",
		},
		"HTTP API, format 1.0": {
			fmt.Sprintf(httpAPI1, "/a b/%2F", `{"q": ["/", "2"]}`),
			"/a%20b/%252F?q=%2F&q=2", "/a b/%2F", "",
			"api.example.com", []string{"a=1; b=2"}, "192.0.2.1:0",
		},
		"REST API": {
			fmt.Sprintf(restAPI, "/a%2Fb", `{"x": ["a b"], "q": ["/", "2"]}`, "/dev/a%2Fb"),
			"/dev/a%2Fb?q=%2F&q=2&x=a+b", "/a/b", "/a%2Fb",
			"id.execute-api.us-east-1.amazonaws.com", []string{"a=1", "b=2"}, "192.0.2.1:0",
		},
		"REST API, root": {
			fmt.Sprintf(restAPI, "/", "null", "/dev/"), "/dev/", "/", "",
			"id.execute-api.us-east-1.amazonaws.com", []string{"a=1", "b=2"}, "192.0.2.1:0",
		},
		"REST API, root without a slash": {
			fmt.Sprintf(restAPI, "/", "null", "/dev"), "/dev/", "/", "",
			"id.execute-api.us-east-1.amazonaws.com", []string{"a=1", "b=2"}, "192.0.2.1:0",
		},
		"REST API, slash at the end": {
			fmt.Sprintf(restAPI, "/home/", "null", "/dev/home/"), "/dev/home/", "/home/", "",
			"id.execute-api.us-east-1.amazonaws.com", []string{"a=1", "b=2"}, "192.0.2.1:0",
		},
		"REST API, base path mapping": {
			fmt.Sprintf(restAPI, "/app/home", "null", "/app/home"), "/app/home", "/app/home", "",
			"id.execute-api.us-east-1.amazonaws.com", []string{"a=1", "b=2"}, "192.0.2.1:0",
		},
		"REST API, paths that differ": {
			fmt.Sprintf(restAPI, "/a%2Fb", "null", "/dev/a/b"), "/a%2Fb", "/a/b", "/a%2Fb",
			"id.execute-api.us-east-1.amazonaws.com", []string{"a=1", "b=2"}, "192.0.2.1:0",
		},
		"load balancer": {
			fmt.Sprintf(loadBalancer, "/a%2Fb", `{"x": ["a+b"], "q": ["%2F", "2"]}`),
			"/a%2Fb?q=%2F&q=2&x=a+b", "/a/b", "/a%2Fb",
			"app.example.com", []string{"a=1", "b=2"}, "192.0.2.1:0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			called := false
			h := func(w http.ResponseWriter, r *http.Request) {
				called = true
				if r.RequestURI != test.requestURI ||
					r.URL.Path != test.path || r.URL.RawPath != test.raw {
					t.Errorf("%q, path %q, raw path %q", r.RequestURI, r.URL.Path, r.URL.RawPath)
				}
				if r.Method != "POST" || r.Proto != "HTTP/1.1" {
					t.Errorf("%s by %s", r.Method, r.Proto)
				}
				if r.Host != test.host || r.URL.Host != "" || r.RemoteAddr != test.remote {
					t.Errorf("%s, %s from %s", r.Host, r.URL, r.RemoteAddr)
				}
				if lines := r.Header["Cookie"]; !slices.Equal(lines, test.cookies) {
					t.Errorf("Cookie %q", lines)
				}
				want := http.Header{
					"Cookie": test.cookies, "Accept": {"text/html,application/xml;q=0.9"},
					"X-Forwarded-Proto": {"https"},
				}
				if lines := r.Header["X-Forwarded-For"]; lines != nil {
					want["X-Forwarded-For"] = lines
				}
				if !reflect.DeepEqual(r.Header, want) {
					t.Errorf("header %v", r.Header)
				}
				if got := r.URL.Query()["q"]; strings.Contains(test.requestURI, "?") &&
					!slices.Equal(got, []string{"/", "2"}) {
					t.Errorf("query %q", got)
				}
				body, err := io.ReadAll(r.Body)
				if string(body) != "note=??" || err != nil || r.ContentLength != 7 {
					t.Errorf("body %q, %v, length %d", body, err, r.ContentLength)
				}
			}
			_, err := invoke(t.Context(), Handler(http.HandlerFunc(h)), test.event)
			if err != nil || !called {
				t.Errorf("called: %t, %v", called, err)
			}
		})
	}
}

// TestSingleValues: an event that people make up may have headers and parameters in the form with
// one line of each name alone. What is in both forms is there once.
func TestSingleValues(t *testing.T) {
	const event = `{"path": "/", "httpMethod": "GET", "headers": {%s}, "multiValueHeaders": %s,
		"queryStringParameters": {"q": "2", "x": "a b"}, "multiValueQueryStringParameters": %s}`
	for name, test := range map[string]struct {
		event   string
		host    string
		cookies []string
		query   string
	}{
		"one form": {
			fmt.Sprintf(event, `"host": "a.test", "COOKIE": "a=1; b=2"`, "null", "null"),
			"a.test", []string{"a=1; b=2"}, "q=2&x=a+b",
		},
		"both forms": {
			fmt.Sprintf(event, `"Host": "b.test", "cookie": "b=2"`,
				`{"host": ["a.test"], "Cookie": ["a=1", "b=2"]}`, `{"q": ["/", "2"], "x": []}`),
			"a.test", []string{"a=1", "b=2"}, "q=%2F&q=2&x=a+b",
		},
		"two spellings": {
			fmt.Sprintf(event, "", `{"cookie": ["c=3"], "COOKIE": ["a=1"], "Cookie": ["b=2"],
				"host": ["b.test"], "Host": ["a.test"]}`, "null"),
			"a.test", []string{"a=1", "b=2", "c=3"}, "q=2&x=a+b",
		},
	} {
		called := false
		call(t, test.event, func(_ http.ResponseWriter, r *http.Request) {
			called = true
			if lines := r.Header["Cookie"]; r.Host != test.host || r.URL.RawQuery != test.query ||
				!slices.Equal(lines, test.cookies) {
				t.Errorf("%s: %s?%s, Cookie %q", name, r.Host, r.URL.RawQuery, lines)
			}
		})
		if !called {
			t.Errorf("%s: the handler was not called", name)
		}
	}
}

// TestMalformedRequests: what net/http refuses is refused here, by the same status.
func TestMalformedRequests(t *testing.T) {
	never := Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the handler was called")
	}))
	for _, event := range []string{
		fmt.Sprintf(functionURL, "/%zz", ""),
		fmt.Sprintf(functionURL, "home", ""),
		fmt.Sprintf(functionURL, "", ""),
		strings.Replace(fmt.Sprintf(functionURL, "/", ""), "bm90", "!!!!", 1),
		strings.Replace(fmt.Sprintf(functionURL, "/", ""), `"POST"`, `"NO METHOD"`, 1),
		strings.Replace(fmt.Sprintf(functionURL, "/", ""), `"accept"`, `"no name"`, 1),
		strings.Replace(fmt.Sprintf(functionURL, "/", ""), `"accept"`, `""`, 1),
		strings.Replace(fmt.Sprintf(functionURL, "/", ""), "text/html", `a\r\nCookie: c=3`, 1),
		strings.Replace(fmt.Sprintf(loadBalancer, "/", "null"), `["a=1"`, `["a=1\u0000"`, 1),
	} {
		out, err := invoke(t.Context(), never, event)
		if err != nil || !strings.Contains(string(out), `"statusCode":400`) {
			t.Errorf("%s, %v: %s", out, err, event)
		}
	}
	const noMethod = `{"requestContext": {"elb": {}}, "path": "/", "multiValueHeaders": {}}`
	const oneLineEach = `{"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/",
		"headers": {"host": "app.example.com"}}`
	for event, want := range map[string]string{
		`{}`:                                   "no HTTP request",
		`{"Records": [{}]}`:                    "no HTTP request",
		`"text"`:                               "no HTTP request",
		`{"version": "2.0", "rawPath": "/"}`:   "no HTTP request",
		noMethod:                               "no HTTP request",
		`{"version": "2.0", "headers": []}`:    "format 2.0",
		`{"httpMethod": "GET", "headers": []}`: "format 1.0",
		oneLineEach:                            "lambda.multi_value_headers.enabled",
	} {
		out, err := invoke(t.Context(), never, event)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v", event, out, err)
		}
	}
}

// kinds are an event of each kind that asks for "/".
var kinds = map[string]string{
	"function URL":  fmt.Sprintf(functionURL, "/", ""),
	"HTTP API":      fmt.Sprintf(httpAPI, "/", ""),
	"REST API":      fmt.Sprintf(restAPI, "/", "null", "/dev/"),
	"load balancer": fmt.Sprintf(loadBalancer, "/", "null"),
}

// answer is a response in any format.
type answer struct {
	StatusCode        int               `json:"statusCode"`
	StatusDescription string            `json:"statusDescription"`
	Headers           map[string]string `json:"headers"`
	MultiValueHeaders http.Header       `json:"multiValueHeaders"`
	Cookies           []string          `json:"cookies"`
	Body              string            `json:"body"`
	IsBase64Encoded   bool              `json:"isBase64Encoded"`
}

// header returns the header that a client gets of an answer.
func (a answer) header() http.Header {
	h := http.Header{}
	for key, lines := range a.MultiValueHeaders {
		h[key] = lines
	}
	for key, line := range a.Headers {
		h[key] = []string{line}
	}
	if a.Cookies != nil {
		h["Set-Cookie"] = a.Cookies
	}
	return h
}

// logged returns what is logged from now on.
func logged(t *testing.T) *bytes.Buffer {
	var text bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&text, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &text
}

// call has a handler answer an event, and returns the answer.
func call(t *testing.T, event string, h http.HandlerFunc) (a answer) {
	t.Helper()
	out, err := invoke(t.Context(), Handler(h), event)
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	if err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return a
}

// TestResponses: what a handler writes is what the client gets, whichever the integration is.
func TestResponses(t *testing.T) {
	for name, test := range map[string]struct {
		handler  http.HandlerFunc
		status   int
		header   http.Header
		body     string
		isBase64 bool
	}{
		"cookies": {
			func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
				http.SetCookie(w, &http.Cookie{Name: "b", Value: "2", Path: "/"})
				w.Header().Set("Vary", "Cookie")
				http.Redirect(w, r, "/home", http.StatusSeeOther)
			},
			303, http.Header{
				"Set-Cookie": {"a=1", "b=2; Path=/"}, "Vary": {"Cookie"}, "Location": {"/home"},
			}, "", false,
		},
		"text": {
			func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<p>é \x00 \u2028") },
			200, http.Header{"Content-Type": {"text/html; charset=utf-8"}},
			"<p>é \x00 \u2028", false,
		},
		"bytes": {
			func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0x1f, 0x8b, 8}) },
			200, http.Header{"Content-Type": {"application/x-gzip"}}, "H4sI", true,
		},
		"nothing": {func(http.ResponseWriter, *http.Request) {}, 200, http.Header{}, "", false},
		"no type": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = nil
				fmt.Fprint(w, "x")
			},
			200, http.Header{}, "x", false,
		},
		"no content": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNoContent)
				if _, err := w.Write([]byte("x")); err != http.ErrBodyNotAllowed {
					panic(err)
				}
			},
			204, http.Header{}, "", false,
		},
		"the first status counts": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusTeapot)
				w.Header().Set("X-Late", "1")
				w.WriteHeader(http.StatusOK)
			},
			418, http.Header{}, "", false,
		},
		"a flush fixes the header": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				if err := http.NewResponseController(w).Flush(); err != nil {
					panic(err)
				}
				w.Header().Set("X-Late", "1")
				fmt.Fprint(w, "data: 1\n\n")
			},
			200, http.Header{"Content-Type": {"text/event-stream"}}, "data: 1\n\n", false,
		},
		"fields that are not the handler's": {
			func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				h.Set("X-Value", "a\r\nSet-Cookie: c=3")
				h.Set("Connection", "close")
				h.Set("Content-Length", "7")
				h.Set(http.TrailerPrefix+"X", "1")
				h["transfer-encoding"] = []string{"chunked"}
				h["x\r\ny"], h["no name"], h[""] = []string{"1"}, []string{"1"}, []string{"1"}
			},
			200, http.Header{"X-Value": {"a  Set-Cookie: c=3"}}, "", false,
		},
		"an empty write": {
			func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "")
				w.WriteHeader(http.StatusTeapot) // too late, as in net/http
				fmt.Fprint(w, "<p>")
			},
			200, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, "<p>", false,
		},
		"names in another spelling": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["set-cookie"] = []string{"a=1", "b=2"}
				w.Header()["content-type"] = []string{"text/plain"}
				fmt.Fprint(w, "<p>")
			},
			200, http.Header{"Set-Cookie": {"a=1", "b=2"}, "Content-Type": {"text/plain"}},
			"<p>", false,
		},
		"several lines": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("Vary", "Cookie")
				w.Header().Add("Vary", "Accept")
			},
			200, http.Header{"Vary": {"Cookie", "Accept"}}, "", false,
		},
	} {
		for kind, event := range kinds {
			a := call(t, event, test.handler)
			want := test.header
			if a.MultiValueHeaders == nil && len(want["Vary"]) > 1 {
				want = http.Header{"Vary": {strings.Join(want["Vary"], ", ")}}
			}
			got := a.header()
			if a.StatusCode != test.status || a.Body != test.body ||
				a.IsBase64Encoded != test.isBase64 || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: %+v", name, kind, a)
			}
			description := fmt.Sprint(test.status, " ", http.StatusText(test.status))
			if kind == "load balancer" && a.StatusDescription != description {
				t.Errorf("%s: description %q", name, a.StatusDescription)
			}
		}
	}
	head := strings.Replace(kinds["function URL"], `"POST"`, `"HEAD"`, 1)
	a := call(t, head, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		if n, err := io.WriteString(w, "hello"); n != 5 || err != nil {
			t.Error(n, err)
		}
	})
	want := http.Header{"Content-Length": {"5"}, "Content-Type": {"text/plain; charset=utf-8"}}
	if a.Body != "" || !reflect.DeepEqual(a.header(), want) {
		t.Errorf("HEAD: %+v", a)
	}
}

// TestPanics: a panic answers with status 500 and keeps the cookies; nothing else of the broken
// response is sent, and the function goes on.
func TestPanics(t *testing.T) {
	log := logged(t)
	for name, h := range map[string]http.HandlerFunc{
		"before the header": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			w.Header().Set("ETag", `"1"`)
			panic("no such note")
		},
		"in the middle": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			w.Header().Set("ETag", `"1"`)
			fmt.Fprint(w, "half of")
			panic(http.ErrAbortHandler)
		},
		"no status": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			w.WriteHeader(0)
		},
		"too large a status": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			w.WriteHeader(1000)
		},
	} {
		for kind, event := range kinds {
			a := call(t, event, h)
			want := http.Header{"Set-Cookie": {"a=1"}}
			if a.StatusCode != 500 || a.Body != "" || !reflect.DeepEqual(a.header(), want) {
				t.Errorf("%s, %s: %+v", name, kind, a)
			}
		}
	}
	for _, v := range []string{"no such note", "no HTTP status: 0", "no HTTP status: 1000"} {
		if n := strings.Count(log.String(), v+`" stack=`); n != len(kinds) {
			t.Errorf("%q is logged %d times", v, n)
		}
	}
	if strings.Count(log.String(), "\n") != 3*len(kinds) {
		t.Errorf("logged:\n%s", log) // http.ErrAbortHandler is not
	}
}

// TestDeadline: a handler that heeds its context answers before the function is stopped.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		h := func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			w.WriteHeader(http.StatusGatewayTimeout)
		}
		out, err := invoke(ctx, Handler(http.HandlerFunc(h)), kinds["HTTP API"])
		if err != nil || !strings.Contains(string(out), "504") || ctx.Err() != nil {
			t.Errorf("%s, %v, %v", out, err, ctx.Err())
		}
	})
}

// TestLateWrites: what a goroutine writes after its handler has returned is an error, and is in no
// response.
func TestLateWrites(t *testing.T) {
	for kind, event := range kinds {
		returned, written := make(chan struct{}), make(chan error)
		a := call(t, event, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "in time")
			go func() {
				<-returned
				w.WriteHeader(http.StatusTeapot)
				w.(http.Flusher).Flush()
				_, err := io.WriteString(w, "too late")
				written <- err
			}()
		})
		close(returned)
		if err := <-written; err == nil || a.Body != "in time" {
			t.Errorf("%s: %v, %+v", kind, err, a)
		}
	}
}

// TestStream: a client gets what is flushed while the handler goes on.
func TestStream(t *testing.T) {
	for kind, event := range kinds {
		next := make(chan struct{})
		f := StreamingHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
			for i := range 3 {
				fmt.Fprintf(w, "data: %d\n\n", i)
				w.(http.Flusher).Flush()
				<-next
			}
		}))
		response, err := f(t.Context(), json.RawMessage(event))
		if kind == "HTTP API" || kind == "load balancer" {
			if err == nil {
				t.Errorf("%s: streams %v", kind, response)
			}
			continue
		}
		stream, ok := response.(io.ReadCloser)
		if err != nil || !ok {
			t.Fatalf("%s: %T, %v", kind, response, err)
		}
		head, body := prelude(t, stream)
		want := http.Header{
			"Set-Cookie": {"a=1", "b=2"}, "Content-Type": {"text/event-stream"},
		}
		if head.StatusCode != 200 || !reflect.DeepEqual(head.header(), want) {
			t.Errorf("%s: %+v", kind, head)
		}
		for i := range 3 {
			want := fmt.Sprintf("data: %d\n\n", i)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(body, got); err != nil || string(got) != want {
				t.Errorf("%s: %q, %v", kind, got, err)
			}
			next <- struct{}{}
		}
		if n, err := body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: %d bytes more, %v", kind, n, err)
		}
	}
}

// prelude reads the header in front of a stream: JSON and eight zero bytes.
func prelude(t *testing.T, stream io.Reader) (head answer, body io.Reader) {
	t.Helper()
	var text []byte
	for !bytes.HasSuffix(text, make([]byte, 8)) {
		b := make([]byte, 1)
		if _, err := io.ReadFull(stream, b); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		text = append(text, b...)
	}
	if err := json.Unmarshal(text[:len(text)-8], &head); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return head, stream
}

// TestStreamEnds: the handler's context ends when Lambda wants no more of a response, and a panic
// ends the response in a way that the client notices.
func TestStreamEnds(t *testing.T) {
	ended := make(chan error)
	f := StreamingHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		_, err := io.WriteString(w, "x")
		ended <- err
	}))
	response, err := f(t.Context(), json.RawMessage(kinds["function URL"]))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = prelude(t, response.(io.Reader))
	if err := response.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("it goes on writing")
	}

	logged(t)
	for name, test := range map[string]struct {
		begin  bool
		end    func()
		status int
		body   string
		fails  bool
	}{
		"a panic before the header": {false, func() { panic("no such note") }, 500, "", false},
		"a panic in the middle":     {true, func() { panic("no such note") }, 200, "half of", true},
		"the end of its goroutine":  {true, runtime.Goexit, 200, "half of", true},
	} {
		f := StreamingHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", "a=1")
			if test.begin {
				fmt.Fprint(w, "half of")
			}
			test.end()
		}))
		response, err := f(t.Context(), json.RawMessage(kinds["REST API"]))
		if err != nil {
			t.Fatal(err)
		}
		head, stream := prelude(t, response.(io.Reader))
		body, err := io.ReadAll(stream)
		if head.StatusCode != test.status || string(body) != test.body ||
			(err != nil) != test.fails || head.header().Get("Set-Cookie") != "a=1" {
			t.Errorf("%s: %+v, %q, %v", name, head, body, err)
		}
	}
}

// FuzzPaths: a request has the path that the event has, whatever that is, or status 400.
func FuzzPaths(f *testing.F) {
	for _, path := range []string{
		"/", "//x", "/%68ome", "/a b", "/?#", "/%", "/%q", "/\x00", "/é", "/\xff",
		"", "*", "http://x/",
	} {
		f.Add(path)
	}
	before, after, _ := strings.Cut(fmt.Sprintf(httpAPI, "PATH", ""), `"PATH"`)
	f.Fuzz(func(t *testing.T, path string) {
		quoted, err := json.Marshal(path)
		if err != nil {
			t.Fatal(err)
		}
		path = "" // as it is in JSON, without bytes that are no UTF-8
		if err := json.Unmarshal(quoted, &path); err != nil {
			t.Fatal(err)
		}
		event := before + string(quoted) + after
		a := call(t, event, func(w http.ResponseWriter, r *http.Request) {
			u, err := url.ParseRequestURI(r.RequestURI)
			if err != nil || u.Path != path || r.URL.Path != path || r.URL.RawQuery != "" {
				t.Errorf("%q: %q, %q, %v", path, r.RequestURI, r.URL.Path, err)
			}
		})
		if a.StatusCode != 200 && (a.StatusCode != 400 || strings.HasPrefix(path, "/")) {
			t.Errorf("%q: %+v", path, a)
		}
	})
}
