package amplifyfiber

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/amplify-go/amplify/flow"
)

// write sends an answer.
func write(c fiber.Ctx, answer *flow.Response) error {
	h := &c.Response().Header
	for key, lines := range answer.Header {
		replace(h, key, lines)
	}
	return c.Status(answer.Status).Send(answer.Body)
}

// edit lets change edit a header of net/http, and does the same to h.
func edit(h *fasthttp.ResponseHeader, change func(http.Header)) {
	header, before := lines(h), http.Header{}
	maps.Copy(before, header)
	change(header)
	apply(h, before, header)
}

// lines returns a copy of those fields of h that exchanges read and change. Keys are spelled as
// they are there.
func lines(h *fasthttp.ResponseHeader) http.Header {
	header := http.Header{}
	for key, value := range h.All() {
		if concernsExchanges(key) {
			header[string(key)] = append(header[string(key)], string(value))
		}
	}
	return header
}

// concernsExchanges reports whether package flow may read or change a field: cookies, and whatever
// is about caches.
func concernsExchanges(key []byte) bool {
	const control = "-control" // Cache-Control, Surrogate-Control, CDN-Cache-Control
	prefix := len(key) - len(control)
	return prefix > 0 && strings.EqualFold(string(key[prefix:]), control) ||
		strings.EqualFold(string(key), fiber.HeaderSetCookie) ||
		strings.EqualFold(string(key), fiber.HeaderVary)
}

// apply makes those changes to h that lead from one header to another. Cookies that h has got in
// the meantime stay.
func apply(h *fasthttp.ResponseHeader, from, to http.Header) {
	for key := range from {
		if _, ok := to[key]; !ok {
			h.Del(key)
		}
	}
	for key, lines := range to {
		if slices.Equal(from[key], lines) {
			continue
		}
		if key == fiber.HeaderSetCookie {
			var others []string
			for _, line := range h.Cookies() {
				if !slices.Contains(from[key], string(line)) {
					others = append(others, string(line))
				}
			}
			lines = slices.Concat(lines, others)
		}
		replace(h, key, lines)
	}
}

// replace sets the lines of one field.
func replace(h *fasthttp.ResponseHeader, key string, lines []string) {
	h.Del(key)
	for _, line := range lines {
		h.Add(key, line)
	}
}
