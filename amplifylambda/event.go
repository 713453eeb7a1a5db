package amplifylambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// event is a request in the form that all kinds of events have in common.
type event struct {
	method   string
	prefix   string // of path, as far as only browsers see it
	path     string // percent-encoded
	query    string // percent-encoded
	host     string
	header   http.Header
	remote   string // IP address of the caller
	body     string
	isBase64 bool

	// response makes the answer.
	response func(status int, h http.Header, body string, isBase64 bool) any
	// stream makes an answer whose body follows. It is nil if the integration has none.
	stream func(status int, h http.Header, body io.Reader) any
}

// parseV2 reads the payload format 2.0, which function URLs and HTTP APIs share: Lambda Developer
// Guide, "Invoking Lambda function URLs"; API Gateway Developer Guide, "Create AWS Lambda proxy
// integrations for HTTP APIs".
func parseV2(payload []byte) (*event, error) {
	var in events.LambdaFunctionURLRequest
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, fmt.Errorf("amplifylambda: event of format 2.0: %w", err)
	}
	e := &event{
		method: in.RequestContext.HTTP.Method, path: in.RawPath, query: in.RawQueryString,
		host: in.RequestContext.DomainName, header: make(http.Header, len(in.Headers)),
		remote: in.RequestContext.HTTP.SourceIP, body: in.Body, isBase64: in.IsBase64Encoded,
		response: func(status int, h http.Header, body string, isBase64 bool) any {
			headers, cookies := joined(h)
			return &events.LambdaFunctionURLResponse{
				StatusCode: status, Headers: headers, Cookies: cookies,
				Body: body, IsBase64Encoded: isBase64,
			}
		},
	}
	for key, line := range in.Headers {
		e.header.Add(key, line)
	}
	if len(in.Cookies) > 0 {
		// Function URLs have the cookies in the headers, too:
		// https://github.com/aws/aws-lambda-rust-runtime/pull/586
		e.header.Set("Cookie", strings.Join(in.Cookies, "; "))
	}
	if !strings.Contains(e.host, ".lambda-url.") {
		// HTTP APIs decode it: https://github.com/honojs/hono/issues/2156
		e.path = encode(in.RawPath)
		return e, nil
	}
	e.stream = func(status int, h http.Header, body io.Reader) any {
		headers, cookies := joined(h)
		return &events.LambdaFunctionURLStreamingResponse{
			StatusCode: status, Headers: headers, Cookies: cookies, Body: body,
		}
	}
	return e, nil
}

// parseV1 reads the events of REST APIs, and those of HTTP APIs in the payload format 1.0, which
// alone have a version: API Gateway Developer Guide, "Lambda proxy integrations in API Gateway".
func parseV1(payload []byte, version string) (*event, error) {
	var in events.APIGatewayProxyRequest
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, fmt.Errorf("amplifylambda: event of format 1.0: %w", err)
	}
	e := &event{
		method: in.HTTPMethod, path: in.Path,
		query: queryOf(in.QueryStringParameters, in.MultiValueQueryStringParameters),
		host:  in.RequestContext.DomainName, header: headerOf(in.Headers, in.MultiValueHeaders),
		remote: in.RequestContext.Identity.SourceIP, body: in.Body, isBase64: in.IsBase64Encoded,
		response: func(status int, h http.Header, body string, isBase64 bool) any {
			return &events.APIGatewayProxyResponse{
				StatusCode: status, MultiValueHeaders: h, Body: body, IsBase64Encoded: isBase64,
			}
		},
	}
	if version != "" {
		e.path = encode(in.Path)
		return e, nil
	}
	// On its default endpoint an API has the stage in front of all paths, which in.Path lacks.
	if in.Path == "/" { // the other may lack the slash
		e.prefix = strings.TrimSuffix(in.RequestContext.Path, "/")
	} else if prefix, ok := strings.CutSuffix(in.RequestContext.Path, in.Path); ok {
		e.prefix = prefix
	}
	e.stream = func(status int, h http.Header, body io.Reader) any {
		return &events.APIGatewayProxyStreamingResponse{
			StatusCode: status, MultiValueHeaders: h, Body: body,
		}
	}
	return e, nil
}

// parseALB reads the events of load balancers: Application Load Balancers guide, "Use Lambda
// functions as targets". They do not decode paths and parameters.
func parseALB(payload []byte) (*event, error) {
	var in events.ALBTargetGroupRequest
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, fmt.Errorf("amplifylambda: event of a load balancer: %w", err)
	}
	if in.MultiValueHeaders == nil {
		return nil, errors.New("amplifylambda: the target group has no multi-value headers, and " +
			"would lose cookies: set its attribute lambda.multi_value_headers.enabled to true")
	}
	var query []string
	for _, name := range slices.Sorted(maps.Keys(in.MultiValueQueryStringParameters)) {
		for _, value := range in.MultiValueQueryStringParameters[name] {
			query = append(query, name+"="+value)
		}
	}
	e := &event{
		method: in.HTTPMethod, path: in.Path, query: strings.Join(query, "&"),
		header: headerOf(nil, in.MultiValueHeaders), body: in.Body, isBase64: in.IsBase64Encoded,
		response: func(status int, h http.Header, body string, isBase64 bool) any {
			return &events.ALBTargetGroupResponse{
				StatusCode:        status,
				StatusDescription: fmt.Sprint(status, " ", http.StatusText(status)),
				MultiValueHeaders: h, Body: body, IsBase64Encoded: isBase64,
			}
		},
	}
	// The load balancer appends the address that it sees.
	forwarded := strings.Join(e.header["X-Forwarded-For"], ",")
	e.remote = strings.TrimSpace(forwarded[strings.LastIndexByte(forwarded, ',')+1:])
	return e, nil
}

// request returns the request of e, as net/http would have made it.
func (e *event) request(ctx context.Context) (*http.Request, error) {
	target := e.path
	if e.query != "" {
		target += "?" + e.query
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(target, "/") {
		return nil, errors.New("amplifylambda: the path does not begin with a slash")
	}
	for name, lines := range e.header {
		if !isToken(name) || slices.ContainsFunc(lines, isControlled) {
			return nil, fmt.Errorf("amplifylambda: the header field %q is malformed", name)
		}
	}
	body := e.body
	if e.isBase64 {
		decoded, err := base64.StdEncoding.DecodeString(e.body)
		if err != nil {
			return nil, err
		}
		body = string(decoded)
	}
	r, err := http.NewRequestWithContext(ctx, e.method, "/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.GetBody = nil // of a client's request
	r.URL, r.RequestURI, r.Header, r.RemoteAddr = u, e.prefix+target, e.header, address(e.remote)
	if r.Host = e.header.Get("Host"); r.Host == "" {
		r.Host = e.host
	}
	delete(r.Header, "Host")
	return r, nil
}

// address returns an IP address, which may have a port, as net/http has it in RemoteAddr.
func address(remote string) string {
	if _, err := netip.ParseAddrPort(remote); err == nil || remote == "" {
		return remote
	}
	return net.JoinHostPort(remote, "0")
}

// encode returns a decoded path as it stands in an address.
func encode(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// isToken reports whether s can be the name of a header field (RFC 9110 §5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
	})
}

// isControlled reports whether a header field cannot have s as its value (RFC 9110 §5.5).
func isControlled(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// headerOf returns the header of an event that has it in two forms: one line of each name, and all
// lines. Events that people make up, for tests, may have the first alone.
//
// The lines of names that differ in case are in the order of these, not in that of the map.
func headerOf(one map[string]string, all map[string][]string) http.Header {
	h := make(http.Header, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		for _, line := range all[key] {
			h.Add(key, line)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(one)) {
		if h.Values(key) == nil {
			h.Set(key, one[key])
		}
	}
	return h
}

// queryOf returns the query of an event that has it, decoded, in the same two forms.
func queryOf(one map[string]string, all map[string][]string) string {
	values := make(url.Values, len(all))
	for name, value := range one {
		values.Set(name, value)
	}
	for name, several := range all {
		if len(several) > 0 {
			values[name] = several
		}
	}
	return values.Encode()
}

// joined returns a header with one line of each name, and the lines of Set-Cookie, which cannot be
// joined (RFC 9110 §5.3).
func joined(h http.Header) (lines map[string]string, cookies []string) {
	lines = make(map[string]string, len(h))
	for key, values := range h {
		if key == "Set-Cookie" {
			cookies = values
			continue
		}
		lines[key] = strings.Join(values, ", ")
	}
	return lines, cookies
}
