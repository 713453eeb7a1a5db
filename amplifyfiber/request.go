package amplifyfiber

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
)

// newRequest returns a copy of the request of c, as package flow takes it. Of the header it has
// what exchanges read: cookies and credentials. Guards and routes read more: see withHeader.
func newRequest(c fiber.Ctx) *http.Request {
	ctx := c.RequestCtx()
	r := &struct { // one allocation
		http.Request
		url   url.URL
		lines [2]string
	}{}
	r.Method = c.Method() // a constant
	setURL(&r.url, ctx.URI())
	r.URL = &r.url
	r.RequestURI = string(ctx.RequestURI())
	r.Host = string(ctx.Host())
	if ctx.IsTLS() {
		r.TLS = &tls.ConnectionState{}
	}
	if c.App().Config().DisableHeaderNormalizing {
		r.Header = newHeader(&ctx.Request.Header) // its names are spelled in any way
	} else {
		r.Header = http.Header{}
		// As they were sent: to iterate over the header would parse and rewrite the cookies.
		for i, key := range [...]string{fiber.HeaderCookie, fiber.HeaderAuthorization} {
			lines := r.lines[i : i : i+1]
			for _, line := range ctx.Request.Header.PeekAll(key) {
				lines = append(lines, string(line))
			}
			if len(lines) > 0 {
				r.Header[key] = lines
			}
		}
	}
	if parent := c.Context(); parent != context.Background() {
		return r.WithContext(parent)
	}
	return &r.Request
}

// withHeader returns r with all fields of the header of c.
func withHeader(r *http.Request, c fiber.Ctx) *http.Request {
	whole := *r
	whole.Header = newHeader(&c.Request().Header)
	return &whole
}

// newHeader returns a copy of h, with canonical keys.
func newHeader(h *fasthttp.RequestHeader) http.Header {
	header := http.Header{}
	for key, value := range h.All() {
		header.Add(string(key), string(value))
	}
	return header
}

// setURL makes u the path that Fiber routes by, and the query. fasthttp and net/url read some
// addresses differently: to the one, "/admin#/public" is "/admin".
func setURL(u *url.URL, uri *fasthttp.URI) {
	u.RawQuery = string(uri.QueryString())
	raw := string(uri.PathOriginal())
	decoded, err := url.PathUnescape(raw)
	if err != nil {
		return // without a path no guard makes an exception
	}
	u.Path = decoded
	if u.EscapedPath() != raw {
		u.RawPath = raw
	}
}

// isPathOf reports whether u was made of the path that uri has now.
func isPathOf(u *url.URL, uri *fasthttp.URI) bool {
	raw := u.RawPath
	if raw == "" {
		raw = u.EscapedPath()
	}
	return raw == string(uri.PathOriginal())
}
