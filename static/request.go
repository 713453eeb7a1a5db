package static

import (
	"crypto/sha256"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Request says which variant of a page is wanted. Of a page without Params and Query it is the zero
// value.
type Request struct {
	// Params are the values of the page's Params.
	Params map[string]string
	// Query has the values of the page's Query, as far as they are there. Those of a name are
	// sorted.
	Query url.Values
}

// maxVariant is how long what visitors choose of a variant may be, in bytes. Renders whose errors
// quote it are remembered and logged.
const maxVariant = 4 << 10

// size is how long the names and values of r are, in bytes.
func (r Request) size() (n int) {
	for name, value := range r.Params {
		n += len(name) + len(value)
	}
	for name, values := range r.Query {
		for _, value := range values {
			n += len(name) + len(value)
		}
	}
	return n
}

// text spells r in the one way in which its variant is known. What is in it is escaped, so that no
// two variants have the same.
func (r Request) text() string {
	params := make(url.Values, len(r.Params))
	for name, value := range r.Params {
		params.Set(name, value)
	}
	return "/" + params.Encode() + "?" + r.Query.Encode()
}

// key is the SHA-256 of a variant's spelling. Visitors choose that, and it may be long.
type key [sha256.Size]byte

// request returns which variant r asks for.
func (p *Page) request(r *http.Request) Request {
	if p.single {
		return Request{}
	}
	in := Request{Params: make(map[string]string, len(p.options.Params))}
	for _, name := range p.options.Params {
		in.Params[name] = r.PathValue(name)
	}
	if len(p.options.Query) > 0 && r.URL.RawQuery != "" {
		in.Query = r.URL.Query()
	}
	return p.normal(in)
}

// normal returns r in the spelling that all requests for its variant have. It shares the texts of
// r, but no map and no list.
func (p *Page) normal(r Request) Request {
	var n Request
	for _, name := range p.options.Params {
		if n.Params == nil {
			n.Params = make(map[string]string, len(p.options.Params))
		}
		n.Params[name] = r.Params[name]
	}
	for _, name := range p.options.Query {
		values, ok := r.Query[name]
		if !ok {
			continue
		}
		if n.Query == nil {
			n.Query = url.Values{}
		}
		values = slices.Clone(values)
		slices.Sort(values)
		n.Query[name] = values
	}
	return n
}

// clone returns a copy of r that shares no memory with it, for what outlives a request.
func (r Request) clone() Request {
	r.Params, r.Query = maps.Clone(r.Params), maps.Clone(r.Query)
	for name, value := range r.Params {
		r.Params[name] = strings.Clone(value)
	}
	for name, values := range r.Query {
		copied := make([]string, len(values))
		for i, value := range values {
			copied[i] = strings.Clone(value)
		}
		r.Query[name] = copied
	}
	return r
}

// Tag returns the tag that one variant of the page has, and no other: see [Pages.Invalidate].
func (p *Page) Tag(r Request) string { return p.options.Name + p.normal(r).text() }

// key returns under which key the variant r is kept. r is in its normal form.
func (p *Page) key(r Request) key {
	if p.single {
		return p.singleKey
	}
	return sha256.Sum256([]byte(p.options.Name + r.text()))
}
