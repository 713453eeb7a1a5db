package store

import (
	"errors"
	"time"
)

// User is a row of users.
type User struct {
	Sub, Username, Status string
	Enabled               bool
	// Salt and Verifier are those of SRP. They are empty if the user has no password.
	Salt, Verifier    []byte
	Attributes        map[string]string
	Identities        []Identity
	Created, Modified time.Time
}

// Identity is the account of a federated user with an identity provider.
type Identity struct {
	Provider, UserID string
	Created          time.Time
}

const userColumns = "u.sub, u.username, u.status, u.enabled, u.salt, u.verifier, u.attributes, u.identities, u.created, u.modified"

func scanUser(s scanner) (*User, error) {
	u := &User{}
	return u, s.Scan(&u.Sub, &u.Username, &u.Status, &u.Enabled, &u.Salt, &u.Verifier,
		asJSON(&u.Attributes), asJSON(&u.Identities), asTime(&u.Created), asTime(&u.Modified))
}

// User returns the user with that sub.
func (tx *Tx) User(sub string) (*User, error) {
	return one(tx, scanUser, "SELECT "+userColumns+" FROM users u WHERE sub = ?", sub)
}

// UserByName returns the user with that username or alias. name must be in lower case.
func (tx *Tx) UserByName(name string) (*User, error) {
	return one(tx, scanUser, "SELECT "+userColumns+" FROM names n JOIN users u USING (sub) WHERE n.name = ?", name)
}

// UserByIdentity returns the user that an account with a
// provider belongs to. The case of userID does not matter.
func (tx *Tx) UserByIdentity(provider, userID string) (*User, error) {
	return one(tx, scanUser, "SELECT "+userColumns+` FROM users u
		WHERE EXISTS (SELECT 1 FROM json_each(u.identities) i WHERE i.value ->> 'Provider' = ?
			AND i.value ->> 'UserID' = ? COLLATE NOCASE)`, provider, userID)
}

// Users returns all users, the newest first.
func (tx *Tx) Users() ([]*User, error) {
	return all(tx, scanUser, "SELECT "+userColumns+" FROM users u ORDER BY created DESC, sub")
}

// Members returns the users of a group, the newest first.
func (tx *Tx) Members(group string) ([]*User, error) {
	return all(tx, scanUser, "SELECT "+userColumns+
		" FROM members m JOIN users u USING (sub) WHERE m.group_name = ? ORDER BY created DESC, sub", group)
}

// PutUser inserts or updates u. names, in lower case, are the names to
// find u by. It returns [ErrTaken] if another user has one of them.
func (tx *Tx) PutUser(u *User, names []string) error {
	salt, verifier := u.Salt, u.Verifier
	if len(verifier) == 0 {
		salt, verifier = []byte{}, []byte{} // not NULL
	}
	err := tx.exec(`INSERT INTO users (sub, username, status, enabled, salt, verifier, attributes, identities, created, modified)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (sub) DO UPDATE SET status = excluded.status, enabled = excluded.enabled, salt = excluded.salt,
			verifier = excluded.verifier, attributes = excluded.attributes, identities = excluded.identities, modified = excluded.modified`,
		u.Sub, u.Username, u.Status, u.Enabled, salt, verifier, mustJSON(u.Attributes), mustJSON(u.Identities),
		u.Created.UnixMilli(), u.Modified.UnixMilli())
	if err != nil {
		return err
	}
	if err := tx.exec("DELETE FROM names WHERE sub = ?", u.Sub); err != nil {
		return err
	}
	for _, name := range names {
		// A user may have the same name twice: a username that is also the e-mail address.
		err := tx.execOne("INSERT INTO names (name, sub) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sub = sub WHERE sub = excluded.sub", name, u.Sub)
		if errors.Is(err, ErrNotFound) {
			return ErrTaken
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// DeleteUser deletes a user with all data except sessions.
func (tx *Tx) DeleteUser(sub string) error {
	if err := tx.exec("DELETE FROM messages WHERE sub = ?", sub); err != nil {
		return err
	}
	return tx.execOne("DELETE FROM users WHERE sub = ?", sub)
}
