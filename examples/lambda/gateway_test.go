package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/internal/frameworktest"
	"github.com/aws/aws-lambda-go/lambda"
)

// function is what Lambda calls.
type function = func(context.Context, json.RawMessage) (any, error)

// integration is what stands in front of a function: it makes events of requests, as the guides of
// AWS describe them.
type integration func(r *http.Request, path, query, body string, isBase64 bool) map[string]any

// The integrations. The addresses of the guides:
//
//	https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
//	https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//	https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
//	https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
var integrations = map[string]integration{
	"function URL": func(r *http.Request, path, query, body string, isBase64 bool) map[string]any {
		e := format2(r, path, query, body, isBase64)
		// Cookies are there twice: https://github.com/aws/aws-lambda-rust-runtime/pull/586
		if lines := r.Header["Cookie"]; lines != nil {
			e["headers"].(map[string]string)["cookie"] = strings.Join(lines, "; ")
		}
		e["requestContext"].(map[string]any)["domainName"] = "abcdefg.lambda-url.us-east-1.on.aws"
		return e
	},
	"HTTP API": func(r *http.Request, path, query, body string, isBase64 bool) map[string]any {
		// It decodes the path, and cuts it at a question mark that appears then:
		// https://github.com/middleapi/standard-server/pull/93
		if decoded, err := url.PathUnescape(path); err == nil {
			path, _, _ = strings.Cut(decoded, "?")
		}
		return format2(r, path, query, body, isBase64)
	},
	"REST API": func(r *http.Request, path, query, body string, isBase64 bool) map[string]any {
		values, _ := url.ParseQuery(query)
		return map[string]any{
			"resource": "/{proxy+}", "path": path, "httpMethod": r.Method,
			"headers": lastLines(forwarded(r), false), "multiValueHeaders": forwarded(r),
			"queryStringParameters":           lastLines(http.Header(values), false),
			"multiValueQueryStringParameters": values,
			"pathParameters": map[string]string{
				"proxy": strings.TrimPrefix(path, "/"),
			},
			"requestContext": map[string]any{
				"resourcePath": "/{proxy+}", "httpMethod": r.Method, "path": path, "stage": "prod",
				"domainName": r.Host, "requestId": "id", "protocol": r.Proto,
				"identity": map[string]any{"sourceIp": "192.0.2.1", "cognitoIdentityId": nil},
			},
			"body": body, "isBase64Encoded": isBase64,
		}
	},
	"load balancer": func(r *http.Request, path, query, body string, isBase64 bool) map[string]any {
		headers := map[string][]string{}
		for key, lines := range forwarded(r) {
			headers[strings.ToLower(key)] = lines
		}
		parameters := map[string][]string{} // not decoded
		for pair := range strings.SplitSeq(query, "&") {
			if key, value, _ := strings.Cut(pair, "="); key != "" {
				parameters[key] = append(parameters[key], value)
			}
		}
		const group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/app/1"
		return map[string]any{
			"requestContext": map[string]any{"elb": map[string]string{"targetGroupArn": group}},
			"httpMethod":     r.Method, "path": path, "multiValueQueryStringParameters": parameters,
			"multiValueHeaders": headers, "body": body, "isBase64Encoded": isBase64,
		}
	},
}

// format2 returns an event of the payload format 2.0.
func format2(r *http.Request, path, query, body string, isBase64 bool) map[string]any {
	e := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
		"headers": lastLines(forwarded(r), true),
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "id", "domainName": r.Host, "stage": "$default",
			"requestId": "id",
			"http": map[string]string{
				"method": r.Method, "path": path, "protocol": r.Proto, "sourceIp": "192.0.2.1",
				"userAgent": r.UserAgent(),
			},
		},
		"body": body, "isBase64Encoded": isBase64,
	}
	if lines := r.Header["Cookie"]; lines != nil {
		var cookies []string
		for pair := range strings.SplitSeq(strings.Join(lines, ";"), ";") {
			cookies = append(cookies, strings.TrimSpace(pair))
		}
		e["cookies"] = cookies
	}
	return e
}

// forwarded returns the header that reaches a function.
func forwarded(r *http.Request) http.Header {
	h := r.Header.Clone()
	h.Set("Host", r.Host)
	h.Add("X-Forwarded-For", "192.0.2.1")
	h.Set("X-Forwarded-Proto", "https")
	h.Set("X-Forwarded-Port", "443")
	return h
}

// lastLines returns one line of each name: those of format 2.0, which are all lines joined and
// have names in lower case, without the cookies; or the last one.
func lastLines(h http.Header, isFormat2 bool) map[string]string {
	lines := map[string]string{}
	for key, all := range h {
		switch {
		case !isFormat2:
			lines[key] = all[len(all)-1]
		case key != "Cookie":
			lines[strings.ToLower(key)] = strings.Join(all, ",")
		}
	}
	return lines
}

// isText reports whether a body of that type stands in events as it is.
func isText(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return kind == "" || strings.HasPrefix(kind, "text/") ||
		kind == "application/json" || kind == "application/xml"
}

// answer is what a function answers, in any format, or the header in front of its stream.
type answer struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

func (a answer) writeHeader(w http.ResponseWriter) {
	for key, line := range a.Headers {
		w.Header().Set(key, line)
	}
	for key, lines := range a.MultiValueHeaders {
		w.Header()[http.CanonicalHeaderKey(key)] = lines
	}
	for _, line := range a.Cookies {
		w.Header().Add("Set-Cookie", line)
	}
	w.WriteHeader(a.StatusCode)
}

// serve asks a function by way of the integration, as the runtime of Lambda does: JSON comes,
// and JSON goes. Lambda does not tell a function that the client has hung up.
func (i integration) serve(t testing.TB, f function) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event := i.event(t, r)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 30*time.Second)
		defer cancel()
		// Each handler of aws-lambda-go has buffers, and gives them to the next call of Invoke
		// while the caller still reads. The runtime calls another method.
		payload, err := lambda.NewHandler(f).Invoke(ctx, event)
		var a answer
		if err == nil {
			err = json.Unmarshal(payload, &a)
		}
		body := []byte(a.Body)
		if err == nil && a.IsBase64Encoded {
			body, err = base64.StdEncoding.DecodeString(a.Body)
		}
		if err != nil {
			t.Errorf("%s: %v", event, err)
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		a.writeHeader(w)
		_, _ = w.Write(body)
	})
}

// event returns the event of a request.
func (i integration) event(t testing.TB, r *http.Request) []byte {
	bytes, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	body, isBase64 := string(bytes), !isText(r.Header.Get("Content-Type"))
	if isBase64 {
		body = base64.StdEncoding.EncodeToString(bytes)
	}
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") { // a whole URL
		target = r.URL.RequestURI()
	}
	path, query, _ := strings.Cut(target, "?")
	event, err := json.Marshal(i(r, path, query, body, isBase64))
	if err != nil {
		t.Error(err)
	}
	return event
}

// stream is serve for functions that stream.
func (i integration) stream(t testing.TB, f function) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event := i.event(t, r)
		response, err := f(context.WithoutCancel(r.Context()), event)
		body, ok := response.(io.ReadCloser)
		if err != nil || !ok {
			t.Errorf("%s: %T, %v", event, response, err)
			return
		}
		defer body.Close()
		// The header is JSON, and ends with eight zero bytes.
		var a answer
		var head []byte
		for !strings.HasSuffix(string(head), strings.Repeat("\x00", 8)) {
			b := make([]byte, 1)
			if _, err := io.ReadFull(body, b); err != nil {
				t.Errorf("%q: %v", head, err)
				return
			}
			head = append(head, b[0])
		}
		if err := json.Unmarshal(head[:len(head)-8], &a); err != nil {
			t.Errorf("%q: %v", head, err)
		}
		a.writeHeader(w)
		buffer := make([]byte, 4096)
		for {
			n, err := body.Read(buffer)
			_, _ = w.Write(buffer[:n])
			_ = http.NewResponseController(w).Flush()
			if err == io.EOF {
				return
			}
			if err != nil {
				panic(http.ErrAbortHandler)
			}
		}
	})
}

// serve starts the application as a function behind an integration.
func serve(front func(testing.TB, http.Handler) http.Handler) frameworktest.Serve {
	return func(t testing.TB, cfg amplify.Config, o amplifyhttp.Options) string {
		inFront := func(r *amplifyhttp.ServerRunner, managedLogin bool) (http.Handler, error) {
			app, err := newApp(r, managedLogin)
			if err != nil {
				return nil, err
			}
			return front(t, app), nil
		}
		return frameworktest.Handler(inFront)(t, cfg, o)
	}
}
