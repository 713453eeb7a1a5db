package static

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Content is what a render makes.
type Content struct {
	// Body is the page. It is copied.
	Body []byte
	// Status is 200, the default; 404 or 410 for a page that does not exist; or 301, 302, 303, 307
	// or 308 for one that is elsewhere, with a Location in Header.
	Status int
	// Header has fields of the response. The default of Content-Type is "text/html; charset=utf-8".
	// Fields that are about one reader or about caching are an error: Set-Cookie, Vary,
	// Cache-Control, ETag and their like.
	Header http.Header

	// Revalidate is how long this page is fresh. Zero means PageOptions.Revalidate.
	Revalidate time.Duration
	// Expires is when the page ceases to be right, for instance since a link in it ceases to work.
	// From then on it is not served, whatever happens: readers wait for the next one, or get an
	// error. The page is due after three quarters of the time until then, or after Revalidate if
	// that is less, so that the next one is there before. Zero means never.
	Expires time.Time
	// Tags are what the page depends on, in words of the application's: see [Pages.Invalidate].
	Tags []string
}

// kept is a page that is kept. It does not change.
type kept struct {
	status  int
	header  http.Header // without those that depend on the reader and on the time
	body    []byte
	etag    string
	tags    []tag
	started time.Time // when its render began
	due     time.Time // when the next one is to be rendered
	expires time.Time // when it ceases to be served; zero means never

	after uint64        // how many invalidations there had been when its render began
	clean atomic.Uint64 // how many of them are known not to concern it
}

// overhead is what a page takes in memory beside its texts: its own struct, the map of its header,
// and its entry in the cache.
const overhead = 1 << 10

// size is how many bytes k takes in memory, about.
func (k *kept) size() int64 {
	n := overhead + len(k.body) + len(k.tags)*sha256.Size
	for name, lines := range k.header {
		for _, line := range lines {
			n += len(name) + len(line) + 64
		}
	}
	return int64(n)
}

// hasExpired reports whether k may not be served any more.
func (k *kept) hasExpired(now time.Time) bool {
	return !k.expires.IsZero() && !now.Before(k.expires)
}

// isDue reports whether it is time for the next page. If the clock has been put back, it is.
func (k *kept) isDue(now time.Time) bool { return !now.Before(k.due) || now.Before(k.started) }

// maxTags is how many tags a page may have.
const maxTags = 100

// keep returns c as a page whose render began at a time. It returns an error if c cannot be the
// same for all readers, or is not good for any time.
func (c *Content) keep(o *PageOptions, started, now time.Time, maxBytes int64) (*kept, error) {
	k := &kept{
		status: cmp.Or(c.Status, http.StatusOK), body: bytes.Clone(c.Body), started: started,
		expires: c.Expires, header: http.Header{},
	}
	switch k.status {
	case http.StatusOK, http.StatusNotFound, http.StatusGone:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if c.Header.Get("Location") == "" {
			return nil, fmt.Errorf("a page with status %d needs a Location in its Header", k.status)
		}
	default:
		return nil, fmt.Errorf("a page cannot have status %d: return an error, "+
			"and the last good page is kept", k.status)
	}
	for name, lines := range c.Header {
		name = textproto.CanonicalMIMEHeaderKey(name)
		if isReserved(name) {
			return nil, fmt.Errorf("a page that is the same for all readers cannot set %q", name)
		}
		k.header[name] = append(k.header[name], lines...)
	}
	if k.header.Get("Content-Type") == "" {
		k.header.Set("Content-Type", "text/html; charset=utf-8")
	}

	revalidate := cmp.Or(c.Revalidate, o.Revalidate)
	switch {
	case revalidate < 0:
		return nil, fmt.Errorf("the page is to be fresh for %v: that is in the past", revalidate)
	case revalidate == 0 && c.Expires.IsZero():
		return nil, errors.New("nothing says how long the page is fresh: set Revalidate or Expires")
	case k.hasExpired(now):
		return nil, fmt.Errorf("the page expired at %v, before it was served",
			c.Expires.Format(time.RFC3339))
	}
	k.due = started.Add(max(revalidate, time.Second))
	if !c.Expires.IsZero() {
		due := started.Add(c.Expires.Sub(started) / 4 * 3)
		if revalidate == 0 || due.Before(k.due) {
			k.due = due
		}
	}

	if len(c.Tags) > maxTags {
		return nil, fmt.Errorf("the page has %d tags, and may have %d", len(c.Tags), maxTags)
	}
	for _, text := range c.Tags {
		k.tags = append(k.tags, newTag(text))
	}
	if size := k.size(); size > maxBytes {
		return nil, fmt.Errorf("the page takes %d bytes, and may take %d: "+
			"set Options.MaxBytes to eight times the largest page at least", size, maxBytes)
	}
	k.setETag()
	return k, nil
}

// setETag names k by what a reader gets to see of it.
func (k *kept) setETag() {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(k.header)) {
		fmt.Fprintf(sum, "%q%q", name, k.header[name])
	}
	sum.Write(k.body)
	k.etag = `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:16]) + `"`
}

// reserved are fields that a page cannot set: they are about one reader, about caching, or about
// the connection.
var reserved = []string{
	"Set-Cookie", "Vary", "Authorization", "Www-Authenticate",
	"Cache-Control", "Surrogate-Control", "Expires", "Pragma", "Age", "Date", "Etag",
	"Last-Modified", "Content-Length", "Content-Range", "Accept-Ranges",
	"Connection", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade",
}

func isReserved(name string) bool {
	// The fields of RFC 9213 are named after who they are meant for: CDN-Cache-Control.
	return slices.Contains(reserved, name) || strings.HasSuffix(name, "-Cache-Control")
}
