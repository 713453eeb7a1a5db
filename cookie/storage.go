package cookie

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/amplify-go/amplify/internal/sessionkey"
)

// MaxSize is the greatest size, in bytes, of name, "=" and encoded value of a cookie that is written. Browsers
// ignore a cookie whose name and value have more than 4,096 bytes together (RFC 6265bis §5.6),
// and older ones count the "=".
const MaxSize = 4096

// ErrReadOnly is returned for a write that cannot reach the browser any more.
var ErrReadOnly = errors.New("cookie: the response cannot take cookies: its header is gone, or there is none")

// TooLargeError is returned for a value that no browser would keep.
type TooLargeError struct {
	Key  string
	Size int // bytes of name, "=" and encoded value
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("cookie: %q would take %d bytes, browsers keep %d at most: "+
		"give tokens fewer custom attributes, groups or claims", e.Key, e.Size, MaxSize)
}

// KeyValueStorage keeps keys and values in the cookies of a [Store]. It implements the interface of that name
// of package amplify. What it has written is what it reads from then on.
//
// It belongs to one request. It is safe for concurrent use.
type KeyValueStorage struct {
	store   Store
	options Options

	mu      sync.Mutex
	written []entry // replaced, never changed, so that readers need no lock
}

// entry is a write that the request's cookies do not show.
type entry struct {
	key, value string
	deleted    bool
}

// NewKeyValueStorage returns a storage on store, whose cookies get the attributes of
// o. The options are expected to be valid ([Options.Validate]).
func NewKeyValueStorage(store Store, o Options) *KeyValueStorage {
	return &KeyValueStorage{store: store, options: o}
}

// All yields every key that begins with prefix, with its value, in the order of the Cookie header and
// whatever the spelling. A key comes several times if the browser sent several cookies for
// it. Keys that were set since come last.
func (s *KeyValueStorage) All(prefix string) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		s.mu.Lock()
		lines, cookies := s.request()
		written := s.written
		s.mu.Unlock()

		var arena strings.Builder
		emit := func(name, value string) bool {
			key, ok := match(name, prefix, &arena)
			return !ok || find(written, key) != nil || yield(key, decode(unquote(value), &arena))
		}
		for _, line := range lines {
			for line != "" {
				var name, value string
				if name, value, line = cut(line); !emit(name, value) {
					return
				}
			}
		}
		for _, c := range cookies {
			if !emit(c.Name, c.Value) {
				return
			}
		}
		for _, e := range written {
			if !e.deleted && strings.HasPrefix(e.key, prefix) && !yield(e.key, e.value) {
				return
			}
		}
	}
}

// request returns the cookies of the request: the lines of its Cookie header or, where the store has
// none, the cookies one by one. s.mu is held.
func (s *KeyValueStorage) request() (lines []string, cookies []*http.Cookie) {
	if h, ok := s.store.(interface{ CookieHeader() []string }); ok {
		return h.CookieHeader(), nil
	}
	return nil, s.store.GetAll()
}

// match returns the key that name stands for, if it begins with prefix. Names of other
// cookies cost one comparison.
func match(name, prefix string, arena *strings.Builder) (key string, ok bool) {
	if !strings.HasPrefix(name, prefix) {
		for i := range min(len(name), len(prefix)) {
			if c := name[i]; c != prefix[i] {
				if c != '%' && c < 0x80 {
					return "", false
				}
				break // perhaps it is spelled otherwise
			}
		}
	}
	key = decode(name, arena)
	return key, key != "" && strings.HasPrefix(key, prefix)
}

func find(entries []entry, key string) *entry {
	for i := range entries {
		if entries[i].key == key {
			return &entries[i]
		}
	}
	return nil
}

// Keeps reports whether Set keeps values under key: with [Options.SessionOnly] the keys of a session alone.
func (s *KeyValueStorage) Keeps(key string) bool {
	return !s.options.SessionOnly || sessionkey.IsSession(key)
}

// Set keeps value under key, and forgets what was kept there. It returns
// a [*TooLargeError] for a value that no browser would keep, and [ErrReadOnly] if the response
// takes no cookies. If it returns an error nothing has changed.
func (s *KeyValueStorage) Set(key, value string) error {
	return s.SetAll([2]string{key, value})
}

// SetAll keeps all values, each under its key, or none: if it returns an error nothing has
// changed. A session must not be written in part.
func (s *KeyValueStorage) SetAll(entries ...[2]string) error {
	set := make([]*http.Cookie, 0, len(entries))
	kept := make([]entry, 0, len(entries))
	for _, e := range entries {
		key, value := e[0], e[1]
		if !s.Keeps(key) {
			continue
		}
		c := s.options.cookie(EncodeName(key), EncodeValue(value))
		if size := len(c.Name) + len("=") + len(c.Value); size > MaxSize {
			return &TooLargeError{key, size}
		}
		set = append(set, c)
		kept = append(kept, entry{key: key, value: value})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*http.Cookie
	for i, c := range set {
		all = append(append(all, s.others(kept[i].key, c.Name)...), c)
	}
	return s.write(all, kept...)
}

// Delete forgets what is kept under key, in every spelling. It returns [ErrReadOnly] if the response takes no
// cookies.
func (s *KeyValueStorage) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := EncodeName(key)
	return s.write(append(s.others(key, name), s.options.deletion(name)), entry{key: key, deleted: true})
}

// maxDeletions bounds what one key can add to a response. Writers differ in four spellings; a request
// with thousands is not a browser's.
const maxDeletions = 16

// others returns deletions of the request's cookies for key that a cookie called name will not
// replace: those that are spelled otherwise, and, where a Domain is configured, those of
// the host alone. A request does not tell which Domain its cookies have; whoever signed in
// by script without that Domain could otherwise not be signed out. s.mu is held.
func (s *KeyValueStorage) others(key, name string) (deletions []*http.Cookie) {
	var names []string
	lines, cookies := s.request()
	for other := range Parse(lines) {
		names = append(names, other)
	}
	for _, c := range cookies {
		names = append(names, c.Name)
	}
	host := s.options
	host.Domain = ""
	for i, other := range names {
		if DecodeName(other) != key || slices.Contains(names[:i], other) {
			continue
		}
		if len(deletions) >= maxDeletions {
			break
		}
		if other != name {
			deletions = append(deletions, s.options.deletion(other))
		}
		if s.options.Domain != "" {
			deletions = append(deletions, host.deletion(other))
		}
	}
	return deletions
}

// write adds cookies to the response, all of them or none, and remembers entries. s.mu is held.
func (s *KeyValueStorage) write(cookies []*http.Cookie, entries ...entry) error {
	if !s.writable() {
		return ErrReadOnly
	}
	if store, ok := s.store.(interface{ SetAll([]*http.Cookie) bool }); ok {
		if !store.SetAll(cookies) {
			return ErrReadOnly
		}
	} else {
		for _, c := range cookies {
			if c.MaxAge < 0 {
				s.store.Delete(c)
			} else {
				s.store.Set(c)
			}
		}
	}
	s.remember(entries...)
	return nil
}

// remember makes entries what is read from now on. s.mu is held.
func (s *KeyValueStorage) remember(entries ...entry) {
	written := slices.DeleteFunc(slices.Clone(s.written), func(e entry) bool { return find(entries, e.key) != nil })
	s.written = append(written, entries...)
}

// Writable reports whether Set and Delete will still reach the browser.
func (s *KeyValueStorage) Writable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writable()
}

func (s *KeyValueStorage) writable() bool {
	w, ok := s.store.(interface{ Writable() bool })
	return !ok || w.Writable()
}
