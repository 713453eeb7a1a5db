package userpool

import (
	"context"
	"errors"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// Group is a group of the pool. The role of the group
// with the lowest precedence is a user's preferred one.
type Group = store.Group

// Groups returns all groups by name.
func (p *Pool) Groups(ctx context.Context) (groups []Group, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		groups, err = tx.Groups()
		return err
	})
	return groups, err
}

// CreateGroup creates a group, or refuses with [GroupExists].
func (p *Pool) CreateGroup(ctx context.Context, g Group) (Group, error) {
	if g.Name == "" {
		return g, tooShort("groupName")
	}
	g.Created, g.Modified = p.Now(), p.Now()
	return g, p.update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Group(g.Name); err == nil {
			return refuse(GroupExists, "A group with the name already exists.")
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return tx.PutGroup(g)
	})
}

// EnsureGroup creates a group unless a group with its name exists.
func (p *Pool) EnsureGroup(ctx context.Context, g Group) error {
	return p.update(ctx, func(tx *store.Tx) error { return p.ensureGroup(tx, g) })
}

func (p *Pool) ensureGroup(tx *store.Tx, g Group) error {
	_, err := tx.Group(g.Name)
	if errors.Is(err, store.ErrNotFound) {
		g.Created, g.Modified = p.Now(), p.Now()
		return tx.PutGroup(g)
	}
	return err
}

// DeleteGroup deletes a group, but not its members.
func (p *Pool) DeleteGroup(ctx context.Context, name string) error {
	return p.update(ctx, func(tx *store.Tx) error {
		err := tx.DeleteGroup(name)
		if errors.Is(err, store.ErrNotFound) {
			return noSuchGroup()
		}
		return err
	})
}

// AddToGroup adds a user to a group. The user's tokens contain the group from the next refresh on.
func (p *Pool) AddToGroup(ctx context.Context, username, group string) error {
	return p.member(ctx, username, group, (*store.Tx).AddMember)
}

// RemoveFromGroup removes a user from a group.
func (p *Pool) RemoveFromGroup(ctx context.Context, username, group string) error {
	return p.member(ctx, username, group, (*store.Tx).RemoveMember)
}

func (p *Pool) member(ctx context.Context, username, group string, change func(tx *store.Tx, group, sub string) error) error {
	return p.update(ctx, func(tx *store.Tx) error {
		u, err := mustFind(tx, username)
		if err != nil {
			return err
		}
		if err := mustHaveGroup(tx, group); err != nil {
			return err
		}
		return change(tx, group, u.Sub)
	})
}

func mustHaveGroup(tx *store.Tx, name string) error {
	_, err := tx.Group(name)
	if errors.Is(err, store.ErrNotFound) {
		return noSuchGroup()
	}
	return err
}
