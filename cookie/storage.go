package cookie

import (
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/amplify-go/amplify/internal/cookieheader"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

const (
	// MaxSize is the greatest size of a cookie that is written: the bytes of name, "=" and encoded
	// value. Browsers ignore a cookie whose name and value have more than 4,096 bytes together
	// (RFC 6265bis §5.6), and older browsers count the "=".
	MaxSize = cookieheader.MaxSize

	// MaxHeaderSize is the greatest Cookie header that is read: the bytes of all its lines. It is
	// far more than what browsers send and servers accept.
	MaxHeaderSize = cookieheader.MaxHeaderSize

	// MaxSetCookies is how many Set-Cookie lines deletions can bring a response to. A browser keeps
	// fewer cookies of a session, and a request must not make its response grow without limit.
	MaxSetCookies = 100

	// maxSpellings bounds how many spellings of one key are deleted. There are four writers; more
	// spellings come only from requests that are made to cause work.
	maxSpellings = 16
)

// KeyValueStorage keeps keys and values in the cookies of a [Store]. It implements the interface of
// that name of package amplify. It reads what it has written.
//
// It belongs to one request, and is safe for concurrent use.
type KeyValueStorage struct {
	store   Store
	options Options

	mu     sync.Mutex
	read   bool    // the request's cookies have been read once
	parsed *parsed // nil before they are read again: most requests read them once
	writes *writes // nil before the first write
}

// parsed are the cookies of a request, taken apart and their names decoded once. It does not change.
type parsed struct {
	cookies  []cookiePair
	tooLarge bool // then none was read
}

// cookiePair is a cookie of a request, as it stands there, and the key that its name stands for.
type cookiePair struct{ name, value, key string }

// writes is what a storage knows about the response. It is guarded by the storage's mu.
type writes struct {
	// log holds the writes in order. Entries are appended and never changed: a reader takes the
	// slice and needs no lock.
	log []entry
	// spellings holds, for keys of the request, the names of its cookies. Keys are entered together
	// with all others that begin with the same byte, when one of them is first written. indexed are
	// these bytes.
	spellings map[string][]string
	indexed   [256]bool
	// added are the cookies that the storage has given to the store.
	added map[scope]struct{}
}

// entry is a write: the value of a key, or its deletion.
type entry struct {
	key, value string
	deleted    bool
	found      bool // in the response, where another storage or a handler has put it
}

// scope is what tells a storage's cookies apart. All have the same Path, and their Domain is that
// of the options or, for deletions of the host's own cookies, none.
type scope struct{ name, domain string }

// NewKeyValueStorage returns a storage on store, whose cookies get the attributes of o. The options
// are expected to be valid ([Options.Validate]).
//
// If store is a [PendingStore], the cookies that the response holds already are read as well:
// values like duplicates that come last, and deletions like this storage's own.
func NewKeyValueStorage(store Store, o Options) *KeyValueStorage {
	s := &KeyValueStorage{store: store, options: o}
	if p, ok := store.(PendingStore); ok {
		if lines := p.SetCookieHeader(); len(lines) > 0 {
			s.writes = &writes{log: pending(lines)}
		}
	}
	return s
}

// pending returns the writes that Set-Cookie lines show. Only names in our own spelling count: they
// are those that a storage writes.
func pending(lines []string) (log []entry) {
	for _, line := range lines {
		c := parseSetCookie(line)
		key := DecodeName(c.name)
		if c.name == "" || EncodeName(key) != c.name {
			continue
		}
		e := entry{key: strings.Clone(key), deleted: c.deletion, found: true}
		i := slices.IndexFunc(log, func(e entry) bool { return e.key == key })
		switch {
		case c.deletion && i >= 0:
			// Of a value and a deletion the browser keeps the value: the deletion is that of
			// another Domain.
			continue
		case !c.deletion:
			e.value = strings.Clone(DecodeValue(c.value))
		}
		log = append(log, e)
	}
	return log
}

// All yields every key that begins with prefix, with its value, in the order of the Cookie header.
// Keys and values are decoded, whatever their spelling. A key comes several times if the browser
// sent several cookies for it. Keys that have been set since come last.
//
// A request for which [KeyValueStorage.TooLarge] returns true is not read.
func (s *KeyValueStorage) All(prefix string) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		s.mu.Lock()
		var lines []string
		var again *parsed
		if s.read {
			again = s.parse()
		} else {
			s.read, lines = true, s.store.CookieHeader()
		}
		var log []entry
		if s.writes != nil {
			log = s.writes.log
		}
		s.mu.Unlock()

		var last map[string]int // the last write of each key
		if len(log) > 0 {
			last = make(map[string]int, len(log))
			for i := range log {
				last[log[i].key] = i
			}
		}
		// A value that was found in the response stands beside those of the request, as a duplicate
		// does: a handler may have set anything. A deletion hides them.
		hidden := func(key string) bool {
			i, ok := last[key]
			return ok && (!log[i].found || log[i].deleted)
		}
		var arena strings.Builder
		visit := func(key, value string) bool {
			return last != nil && hidden(key) || yield(key, cookieheader.Decode(cookieheader.Unquote(value), &arena))
		}
		if again != nil {
			for i := range again.cookies {
				if c := &again.cookies[i]; c.key != "" && strings.HasPrefix(c.key, prefix) && !visit(c.key, c.value) {
					return
				}
			}
		} else if !cookieheader.TooLarge(lines) && !cookieheader.Keys(lines, prefix, &arena, visit) {
			return
		}
		for i := range log {
			e := &log[i]
			if !e.deleted && last[e.key] == i && strings.HasPrefix(e.key, prefix) && !yield(e.key, e.value) {
				return
			}
		}
	}
}

// MaxValueBytes returns [MaxSize]: no value of a cookie is larger.
func (*KeyValueStorage) MaxValueBytes() int { return MaxSize }

// TooLarge reports whether the request's Cookie header has more than [MaxHeaderSize] bytes. Such a
// request is not read: All yields nothing of it. Set works as always. Delete deletes the cookie
// that this library and Amplify JS write, and no other spelling.
func (s *KeyValueStorage) TooLarge() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cookieheader.TooLarge(s.store.CookieHeader())
}

// Keeps reports whether Set keeps values under key. With [Options.SessionOnly] it keeps only the
// keys of a session.
func (s *KeyValueStorage) Keeps(key string) bool {
	return !s.options.SessionOnly || sessionkey.IsSession(key)
}

// Set keeps value under key, and forgets what was kept there before. It returns a
// [*TooLargeError] for a value that browsers do not keep, and [ErrReadOnly] if the response takes
// no cookies. If it returns an error, nothing has changed.
func (s *KeyValueStorage) Set(key, value string) error {
	return s.SetAll([2]string{key, value})
}

// SetAll keeps all values, each under its key, or none: if it returns an error, nothing has
// changed. A session must not be written in part.
func (s *KeyValueStorage) SetAll(entries ...[2]string) error {
	values := make([]*http.Cookie, 0, len(entries))
	log := make([]entry, 0, len(entries))
	for _, e := range entries {
		key, value := e[0], e[1]
		if !s.Keeps(key) {
			continue
		}
		c := s.options.cookie(EncodeName(key), EncodeValue(value))
		if size := len(c.Name) + len("=") + len(c.Value); size > MaxSize {
			return &TooLargeError{key, size}
		}
		values = append(values, c)
		log = append(log, entry{key: key, value: value})
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.writable() {
		return ErrReadOnly
	}
	if len(log) == 0 {
		return nil
	}
	var w *writes
	for i := range log {
		w = s.index(log[i].key)
	}
	// Values are never refused. What is left of MaxSetCookies goes to deletions.
	left := MaxSetCookies - len(w.added) - w.fresh(values...)
	cookies := make([]*http.Cookie, 0, len(values))
	for i, c := range values {
		for _, d := range s.others(log[i].key, c.Name) {
			if n := w.fresh(d); n == 0 || n <= left {
				left -= n
				cookies = append(cookies, d)
			}
		}
		cookies = append(cookies, c)
	}
	return s.write(cookies, log...)
}

// Delete forgets what is kept under key, in every spelling. It returns [ErrReadOnly] if the
// response takes no cookies, and [ErrTooManyCookies] if the response has [MaxSetCookies]
// Set-Cookie lines of this storage already. If it returns an error, nothing has changed.
func (s *KeyValueStorage) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.index(key)
	name := EncodeName(key)
	cookies := append(s.others(key, name), s.options.deletion(name))
	if n := w.fresh(cookies...); n > 0 && len(w.added)+n > MaxSetCookies && s.writable() {
		return ErrTooManyCookies
	}
	return s.write(cookies, entry{key: key, deleted: true})
}

// parse returns the request's cookies. s.mu is held.
func (s *KeyValueStorage) parse() *parsed {
	if s.parsed != nil {
		return s.parsed
	}
	lines := s.store.CookieHeader()
	p := &parsed{tooLarge: cookieheader.TooLarge(lines)}
	s.parsed = p
	if p.tooLarge {
		return p
	}
	n := 0
	for _, line := range lines {
		n += min(strings.Count(line, "="), strings.Count(line, ";")+1)
	}
	p.cookies = make([]cookiePair, 0, n)
	var arena strings.Builder
	var last cookiePair
	for name, value := range Parse(lines) {
		if name != last.name {
			last = cookiePair{name: name, key: cookieheader.Decode(name, &arena)}
		}
		last.value = value
		p.cookies = append(p.cookies, last)
	}
	return p
}

// index returns the storage's writes, with an index of those of the request's cookies that can
// stand for key. The request is parsed once, so that the cost of a write does not depend on how
// many cookies there are. s.mu is held.
func (s *KeyValueStorage) index(key string) *writes {
	if s.writes == nil {
		s.writes = &writes{}
	}
	w := s.writes
	if w.added == nil {
		w.added = make(map[scope]struct{})
		w.spellings = make(map[string][]string)
	}
	var first byte
	if key != "" {
		first = key[0]
	}
	if w.indexed[first] {
		return w
	}
	w.indexed[first] = true
	p := s.parse()
	previous := ""
	for i := range p.cookies {
		c := &p.cookies[i]
		if c.name == previous || c.key == "" || c.key[0] != first {
			continue
		}
		previous = c.name
		if known := w.spellings[c.key]; len(known) < maxSpellings && !slices.Contains(known, c.name) {
			w.spellings[c.key] = append(known, c.name)
		}
	}
	return w
}

// fresh returns how many of cookies the storage has not added before.
func (w *writes) fresh(cookies ...*http.Cookie) (n int) {
	for _, c := range cookies {
		if _, ok := w.added[scopeOf(c)]; !ok {
			n++
		}
	}
	return n
}

func scopeOf(c *http.Cookie) scope { return scope{c.Name, c.Domain} }

// others returns deletions of the request's cookies for key that a cookie called name does not
// replace. These are the cookies in other spellings and, if a Domain is configured, those of the
// host: a request does not say which Domain its cookies have, and a script may have written them
// without one. s.mu is held.
func (s *KeyValueStorage) others(key, name string) (deletions []*http.Cookie) {
	names := s.writes.spellings[key]
	if s.parsed.tooLarge {
		names = []string{name} // it may be there
	}
	host := s.options
	host.Domain = ""
	for _, other := range names {
		if other != name {
			deletions = append(deletions, s.options.deletion(other))
		}
		if s.options.Domain != "" {
			deletions = append(deletions, host.deletion(other))
		}
	}
	return deletions
}

// write adds cookies to the response, all of them or none, and remembers what that means. s.mu is
// held.
func (s *KeyValueStorage) write(cookies []*http.Cookie, log ...entry) error {
	if !s.writable() {
		return ErrReadOnly
	}
	if store, ok := s.store.(AtomicStore); ok {
		if !store.SetAll(cookies) {
			return ErrReadOnly
		}
	} else {
		for _, c := range cookies {
			s.store.Set(c)
		}
	}
	for _, c := range cookies {
		s.writes.added[scopeOf(c)] = struct{}{}
	}
	s.writes.log = append(s.writes.log, log...)
	return nil
}

// Writable reports whether Set and Delete still reach the browser.
func (s *KeyValueStorage) Writable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writable()
}

func (s *KeyValueStorage) writable() bool {
	w, ok := s.store.(WritableStore)
	return !ok || w.Writable()
}
