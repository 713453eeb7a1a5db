package store

import (
	"database/sql"
	"time"
)

// Group is a row of groups.
type Group struct {
	Name, Description, RoleARN string
	// Precedence is nil if the group has none.
	Precedence        *int
	Created, Modified time.Time
}

const groupColumns = "g.name, g.description, g.role_arn, g.precedence, g.created, g.modified"

func scanGroup(s scanner) (Group, error) {
	var g Group
	var precedence sql.Null[int]
	err := s.Scan(&g.Name, &g.Description, &g.RoleARN, &precedence, asTime(&g.Created), asTime(&g.Modified))
	if precedence.Valid {
		g.Precedence = &precedence.V
	}
	return g, err
}

// Group returns a group.
func (tx *Tx) Group(name string) (Group, error) {
	return one(tx, scanGroup, "SELECT "+groupColumns+" FROM groups g WHERE name = ?", name)
}

// Groups returns all groups by name.
func (tx *Tx) Groups() ([]Group, error) {
	return all(tx, scanGroup, "SELECT "+groupColumns+" FROM groups g ORDER BY name")
}

// GroupsOf returns the groups of a user. The lowest
// precedence comes first, and groups without one come last.
func (tx *Tx) GroupsOf(sub string) ([]Group, error) {
	return all(tx, scanGroup, "SELECT "+groupColumns+
		" FROM members m JOIN groups g ON g.name = m.group_name WHERE m.sub = ? ORDER BY g.precedence NULLS LAST, g.name", sub)
}

// PutGroup inserts or updates a group.
func (tx *Tx) PutGroup(g Group) error {
	return tx.exec(`INSERT INTO groups (name, description, role_arn, precedence, created, modified) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET description = excluded.description, role_arn = excluded.role_arn,
			precedence = excluded.precedence, modified = excluded.modified`,
		g.Name, g.Description, g.RoleARN, g.Precedence, g.Created.UnixMilli(), g.Modified.UnixMilli())
}

// DeleteGroup deletes a group, but not its members.
func (tx *Tx) DeleteGroup(name string) error {
	return tx.execOne("DELETE FROM groups WHERE name = ?", name)
}

// AddMember adds a user to a group. Both must exist.
// It does nothing if the user is in the group already.
func (tx *Tx) AddMember(group, sub string) error {
	return tx.exec("INSERT OR IGNORE INTO members (group_name, sub) VALUES (?, ?)", group, sub)
}

// RemoveMember removes a user from a group. It does nothing if the user is not in the group.
func (tx *Tx) RemoveMember(group, sub string) error {
	return tx.exec("DELETE FROM members WHERE group_name = ? AND sub = ?", group, sub)
}
