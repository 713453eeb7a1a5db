package static

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"
)

// Store keeps pages outside the process: for a restart during an outage, and for several processes
// that share what they have rendered. Its methods are called from several goroutines at once.
//
// A call that takes longer than half a second has failed, and so has one that panics. Then pages
// are rendered and kept in memory as without a store. A value that is not the whole page of its key
// is not used. But everybody who can write to the store can make up pages: protect it as well as
// the program.
//
// A page from the store is served until it is due, also by a new version of the program. If that
// version renders pages differently, let the Store put another prefix before its keys.
type Store interface {
	// Get returns what Set has stored under key last, or nil if there is nothing.
	Get(ctx context.Context, key string) ([]byte, error)
	// Set stores value under key. It may be forgotten after the given time.
	Set(ctx context.Context, key string, value []byte, life time.Duration) error
}

const (
	storeTimeout = 500 * time.Millisecond
	// maxStoreCalls is how many calls may be under way. Those of a store that does not mind its
	// context are not waited for.
	maxStoreCalls = 64
	// storeLife is how long a page is stored beyond its time, for outages.
	storeLife = 24 * time.Hour
	// storeVersion begins the keys. Another form of what is stored has another one.
	storeVersion = "amplify-static-1:"
)

// store is a [Store] that is not trusted to answer.
type store struct {
	Store
	calls chan struct{}
}

func newStore(s Store) *store { return &store{s, make(chan struct{}, maxStoreCalls)} }

var errStoreBusy = errors.New("too many calls of the store are under way")

// call calls the store, and waits for it half a second.
func (s *store) call(ctx context.Context, f func(context.Context) ([]byte, error)) ([]byte, error) {
	select {
	case s.calls <- struct{}{}:
	default:
		return nil, errStoreBusy
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	type answer struct {
		value []byte
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		defer func() { <-s.calls }()
		a := answer{err: errors.New("the store ended its goroutine")}
		defer func() {
			if r := recover(); r != nil {
				a = answer{err: fmt.Errorf("the store panicked: %v", r)}
			}
			answers <- a
		}()
		a.value, a.err = f(ctx)
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("the store did not answer within %v", storeTimeout)
	}
}

// stored is the form in which a page is stored.
type stored struct {
	Key          key // what it is stored for
	Status       int
	Header       http.Header
	Body         []byte
	Tags         []tag
	Started      time.Time
	Due, Expires time.Time
}

func storeKey(k key) string { return storeVersion + hex.EncodeToString(k[:]) }

// fromStore returns what the store has of the flight's page, or nil. It may be due.
func (f *flight) fromStore(ctx context.Context) *kept {
	pages := f.page.pages
	if pages.store == nil {
		return nil
	}
	after := pages.invalidated.count.Load()
	value, err := pages.store.call(ctx, func(ctx context.Context) ([]byte, error) {
		return pages.store.Get(ctx, storeKey(f.key))
	})
	if err == nil && value == nil {
		return nil
	}
	var k *kept
	if err == nil {
		k, err = decode(value, f.key, pages.options.MaxBytes/8)
	}
	if err != nil {
		f.page.log(slog.LevelWarn, "amplify: the store of static pages failed", "error", err)
		return nil
	}
	now := pages.now()
	if k.hasExpired(now) || k.started.After(now) ||
		!pages.invalidated.last(k.tags).at.Before(k.started) {
		return nil
	}
	k.after = after
	k.clean.Store(after)
	return k
}

// toStore stores a page.
func (f *flight) toStore(k *kept) {
	pages := f.page.pages
	if pages.store == nil {
		return
	}
	value, err := k.encode(f.key)
	if err == nil {
		now := pages.now()
		life := min(k.due.Sub(now), math.MaxInt64-storeLife) + storeLife
		if !k.expires.IsZero() {
			life = min(life, k.expires.Sub(now))
		}
		_, err = pages.store.call(pages.ctx, func(ctx context.Context) ([]byte, error) {
			return nil, pages.store.Set(ctx, storeKey(f.key), value, life)
		})
	}
	if err != nil {
		f.page.log(slog.LevelWarn, "amplify: the store of static pages failed", "error", err)
	}
}

// encode returns k in the form in which it is stored: its SHA-256, and a gob.
func (k *kept) encode(of key) ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, sha256.Size))
	err := gob.NewEncoder(&b).Encode(stored{
		of, k.status, k.header, k.body, k.tags, k.started, k.due, k.expires,
	})
	value := b.Bytes()
	sum := sha256.Sum256(value[sha256.Size:])
	copy(value, sum[:])
	return value, err
}

// decode returns the page that is stored under a key. It returns an error unless value is what
// encode made for that key.
func decode(value []byte, of key, maxBytes int64) (*kept, error) {
	if len(value) < sha256.Size || int64(len(value)) > 2*maxBytes {
		return nil, fmt.Errorf("a value of %d bytes is no page", len(value))
	}
	sum := sha256.Sum256(value[sha256.Size:])
	if !bytes.Equal(sum[:], value[:sha256.Size]) {
		return nil, errors.New("a value is not what was stored")
	}
	var s stored
	if err := gob.NewDecoder(bytes.NewReader(value[sha256.Size:])).Decode(&s); err != nil {
		return nil, fmt.Errorf("a value is no page: %w", err)
	}
	if s.Key != of {
		return nil, errors.New("a value is the page of another key")
	}
	k := &kept{
		status: s.Status, header: s.Header, body: s.Body, tags: s.Tags,
		started: s.Started, due: s.Due, expires: s.Expires,
	}
	if size := k.size(); size > maxBytes {
		return nil, fmt.Errorf("the stored page takes %d bytes, and may take %d", size, maxBytes)
	}
	k.setETag()
	return k, nil
}
