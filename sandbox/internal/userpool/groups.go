package userpool

import (
	"context"
	"errors"
	"math"
	"regexp"
	"unicode/utf8"

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

// Group returns a group, or refuses with [ResourceNotFound].
func (p *Pool) Group(ctx context.Context, name string) (g Group, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		g, err = mustGetGroup(tx, name)
		return err
	})
	return g, err
}

// roleARN is ArnType in the API Reference.
var roleARN = regexp.MustCompile(
	`^arn:[\w+=/,.@-]+:[\w+=/,.@-]+:[\w+=/,.@-]*:[0-9]+(:[\w+=/,.@-]+){1,3}$`)

// checkGroup applies the constraints of CreateGroup and UpdateGroup in the API Reference.
func checkGroup(g Group) error {
	switch {
	case g.Name == "":
		return tooShort("groupName")
	case utf8.RuneCountInString(g.Name) > 128:
		return violation("groupName", "Member must have length less than or equal to 128")
	case utf8.RuneCountInString(g.Description) > 2048:
		return violation("description", "Member must have length less than or equal to 2048")
	case g.Precedence != nil && *g.Precedence < 0:
		return violation("precedence", "Member must have value greater than or equal to 0")
	case g.Precedence != nil && *g.Precedence > math.MaxInt32:
		return violation("precedence", "Member must have value less than or equal to 2147483647")
	case g.RoleARN != "" && len(g.RoleARN) < 20:
		return violation("roleArn", "Member must have length greater than or equal to 20")
	case len(g.RoleARN) > 2048:
		return violation("roleArn", "Member must have length less than or equal to 2048")
	case g.RoleARN != "" && !roleARN.MatchString(g.RoleARN):
		return violation("roleArn", "Member must be the ARN of a role")
	}
	return nil
}

// CreateGroup creates a group, or refuses with [GroupExists].
func (p *Pool) CreateGroup(ctx context.Context, g Group) (Group, error) {
	if err := checkGroup(g); err != nil {
		return g, err
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

// UpdateGroup applies change to a group and returns the result. change must not alter the name.
func (p *Pool) UpdateGroup(
	ctx context.Context, name string, change func(*Group),
) (g Group, err error) {
	err = p.update(ctx, func(tx *store.Tx) error {
		if g, err = mustGetGroup(tx, name); err != nil {
			return err
		}
		change(&g)
		if err := checkGroup(g); err != nil {
			return err
		}
		g.Modified = p.Now()
		return tx.PutGroup(g)
	})
	return g, err
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
		if _, err := mustGetGroup(tx, group); err != nil {
			return err
		}
		return change(tx, group, u.Sub)
	})
}

// mustGetGroup returns the group of that name, or refuses.
func mustGetGroup(tx *store.Tx, name string) (Group, error) {
	g, err := tx.Group(name)
	if errors.Is(err, store.ErrNotFound) {
		err = noSuchGroup()
	}
	return g, err
}
