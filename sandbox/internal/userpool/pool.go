package userpool

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/srp"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// Pool is a user pool. It is safe for concurrent use.
type Pool struct {
	store   *store.Store
	cfg     Config
	keys    atomic.Pointer[keySet]
	secret  []byte // makes simulated users the same at every call
	created time.Time
}

// New returns the pool whose data is in st. It creates the keys and the groups that are missing.
func New(ctx context.Context, st *store.Store, cfg Config) (*Pool, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	p := &Pool{store: st, cfg: cfg}
	if err := p.loadKeys(ctx); err != nil {
		return nil, fmt.Errorf("sandbox: the keys of the user pool: %w", err)
	}
	err := p.update(ctx, func(tx *store.Tx) (err error) {
		if p.secret, err = tx.MetaOr("secret", []byte(rand.Text())); err != nil {
			return err
		}
		now, err := p.Now().MarshalText()
		if err != nil {
			return err
		}
		created, err := tx.MetaOr("created", now)
		if err != nil {
			return err
		}
		if err := p.created.UnmarshalText(created); err != nil {
			return err
		}
		for _, g := range cfg.Groups {
			if err := p.ensureGroup(tx, g); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sandbox: preparing the user pool: %w", err)
	}
	return p, nil
}

// Created returns the time at which the pool was made.
func (p *Pool) Created() time.Time { return p.created }

// Config returns the pool's configuration. The caller must not change the values it points to.
func (p *Pool) Config() Config { return p.cfg }

// Now returns the time of the pool's clock.
func (p *Pool) Now() time.Time { return p.cfg.Clock() }

// Issuer returns the claim iss of the pool's tokens.
func (p *Pool) Issuer() string {
	return "https://" + p.cfg.APIHost() + "/" + p.cfg.ID
}

// update runs f in a transaction. It commits the transaction if f refuses with [committed].
func (p *Pool) update(ctx context.Context, f func(*store.Tx) error) error {
	var refusal error
	err := p.store.Update(ctx, func(tx *store.Tx) error {
		err := f(tx)
		var k committed
		if errors.As(err, &k) {
			refusal = k.error
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return refusal
}

// find returns the user of that name, or nil.
func find(tx *store.Tx, name string) (*store.User, error) {
	u, err := tx.UserByName(normal(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return u, err
}

// mustFind returns the user of that name, or refuses.
func mustFind(tx *store.Tx, name string) (*store.User, error) {
	u, err := find(tx, name)
	if err == nil && u == nil {
		err = noSuchUser()
	}
	return u, err
}

// mustGet returns the user with that sub, or refuses.
func mustGet(tx *store.Tx, sub string) (*store.User, error) {
	u, err := tx.User(sub)
	if errors.Is(err, store.ErrNotFound) {
		err = noSuchUser()
	}
	return u, err
}

// normal returns the form of a name for comparison. User pools ignore case by default.
func normal(name string) string { return strings.ToLower(name) }

// put stores u with its username and aliases. It returns
// [store.ErrTaken] if another user has one of them.
func (p *Pool) put(tx *store.Tx, u *store.User) error {
	u.Modified = p.Now()
	return tx.PutUser(u, p.namesOf(u))
}

// namesOf returns the names that u can sign in with.
func (p *Pool) namesOf(u *store.User) []string {
	names := []string{normal(u.Username)}
	// The address of a federated user is not an alias. With Cognito, a user
	// of Google and a user of the pool itself can have the same address.
	if Status(u.Status) == ExternalProvider {
		return names
	}
	for _, a := range p.cfg.UsernameAttributes {
		if v := u.Attributes[a]; v != "" {
			names = append(names, normal(v))
		}
	}
	for _, a := range p.cfg.AliasAttributes {
		if v := u.Attributes[a]; v != "" && (u.Attributes[a+"_verified"] == "true" || a == "preferred_username") {
			names = append(names, normal(v))
		}
	}
	return names
}

// srpIdentity returns the identity for the verifier of a user's password.
func (p *Pool) srpIdentity(username string) srp.Identity {
	_, name, _ := strings.Cut(p.cfg.ID, "_")
	return srp.Identity{PoolName: name, UserID: username}
}

// setPassword sets the password of u if the policy accepts it.
func (p *Pool) setPassword(u *store.User, password string) error {
	if err := p.cfg.PasswordPolicy.check(password); err != nil {
		return err
	}
	v := srp.NewVerifier(p.srpIdentity(u.Username), password)
	u.Salt, u.Verifier = v.Salt, v.V
	return nil
}

// randomText returns n random bytes in URL-safe base64.
func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}
