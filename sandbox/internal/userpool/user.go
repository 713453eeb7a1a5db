package userpool

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// User is a user of the pool at the time of reading.
type User struct {
	// Sub is the user's permanent id.
	Sub string
	// Username is the user's name in the pool. It is a UUID if users sign in with an attribute.
	Username string
	Status   Status
	Enabled  bool
	// Attributes holds all attributes but sub, under Cognito's names. All
	// values are text, also email_verified ("true") and identities (JSON).
	Attributes map[string]string
	// Identities are the accounts of a federated user with identity providers.
	Identities []Identity
	// Groups are the user's groups. The lowest precedence comes first.
	Groups            []Group
	Created, Modified time.Time
}

// Status is Cognito's UserStatusType.
type Status string

// Statuses of a user.
const (
	Unconfirmed         Status = "UNCONFIRMED"
	Confirmed           Status = "CONFIRMED"
	ExternalProvider    Status = "EXTERNAL_PROVIDER"
	ResetRequired       Status = "RESET_REQUIRED"
	ForceChangePassword Status = "FORCE_CHANGE_PASSWORD"
)

// Identity is one entry of the attribute and claim "identities".
type Identity struct {
	DateCreated  string  `json:"dateCreated"` // Unix milliseconds
	UserID       string  `json:"userId"`
	ProviderName string  `json:"providerName"`
	ProviderType string  `json:"providerType"`
	Issuer       *string `json:"issuer"`
	Primary      string  `json:"primary"`
}

// readUser returns u with its groups.
func readUser(tx *store.Tx, u *store.User) (*User, error) {
	groups, err := tx.GroupsOf(u.Sub)
	if err != nil {
		return nil, err
	}
	user := &User{
		Sub: u.Sub, Username: u.Username, Status: Status(u.Status), Enabled: u.Enabled,
		Attributes: maps.Clone(u.Attributes), Groups: groups, Created: u.Created, Modified: u.Modified,
	}
	for n, i := range u.Identities {
		// The account that made the user is the primary one. Linked accounts are not.
		primary := n == 0 && user.Status == ExternalProvider
		user.Identities = append(user.Identities, Identity{
			DateCreated: strconv.FormatInt(i.Created.UnixMilli(), 10), UserID: i.UserID,
			ProviderName: i.Provider, ProviderType: i.Provider,
			Primary: strconv.FormatBool(primary),
		})
	}
	if user.Identities != nil {
		text, err := json.Marshal(user.Identities)
		if err != nil {
			return nil, err
		}
		user.Attributes["identities"] = string(text)
	}
	return user, nil
}

// User returns a user by sub, or refuses with [UserNotFound].
func (p *Pool) User(ctx context.Context, sub string) (*User, error) {
	return p.read(ctx, func(tx *store.Tx) (*store.User, error) { return mustGet(tx, sub) })
}

// UserByName returns a user by username or alias, or refuses with [UserNotFound].
func (p *Pool) UserByName(ctx context.Context, name string) (*User, error) {
	return p.read(ctx, func(tx *store.Tx) (*store.User, error) { return mustFind(tx, name) })
}

func (p *Pool) read(ctx context.Context, get func(*store.Tx) (*store.User, error)) (user *User, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) error {
		u, err := get(tx)
		if err != nil {
			return err
		}
		user, err = readUser(tx, u)
		return err
	})
	return user, err
}

// Users returns all users, the newest first.
func (p *Pool) Users(ctx context.Context) ([]*User, error) {
	return p.readAll(ctx, (*store.Tx).Users)
}

// UsersInGroup returns the members of a group, the newest first.
func (p *Pool) UsersInGroup(ctx context.Context, group string) ([]*User, error) {
	return p.readAll(ctx, func(tx *store.Tx) ([]*store.User, error) {
		if _, err := mustGetGroup(tx, group); err != nil {
			return nil, err
		}
		return tx.Members(group)
	})
}

func (p *Pool) readAll(ctx context.Context, get func(*store.Tx) ([]*store.User, error)) (users []*User, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) error {
		rows, err := get(tx)
		if err != nil {
			return err
		}
		for _, u := range rows {
			user, err := readUser(tx, u)
			if err != nil {
				return err
			}
			users = append(users, user)
		}
		return nil
	})
	return users, err
}
