package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func update(t *testing.T, s *Store, f func(tx *Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

var epoch = time.UnixMilli(1_800_000_000_123)

func someUser(sub string) *User {
	return &User{
		Sub: sub, Username: "Name-" + sub, Status: "CONFIRMED", Enabled: true, Salt: []byte{1}, Verifier: []byte{2, 3},
		Attributes: map[string]string{"email": sub + "@example.com"}, Identities: []Identity{{Provider: "Google", UserID: "1", Created: epoch.UTC()}},
		Created: epoch, Modified: epoch.Add(time.Second),
	}
}

func TestUsers(t *testing.T) {
	s := open(t, "")
	alice := someUser("alice")
	update(t, s, func(tx *Tx) error { return tx.PutUser(alice, []string{"alice", "alice@example.com"}) })
	update(t, s, func(tx *Tx) error {
		for _, name := range []string{"alice", "alice@example.com"} {
			got, err := tx.UserByName(name)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(alice, got); diff != "" {
				t.Errorf("UserByName(%q) (-want +got):\n%s", name, diff)
			}
		}
		if _, err := tx.UserByName("bob"); err != ErrNotFound {
			t.Errorf("UserByName of an unknown user: %v", err)
		}
		return nil
	})

	err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutUser(someUser("bob"), []string{"bob", "alice@example.com"}) })
	if err != ErrTaken {
		t.Errorf("a second user of one name: %v, want ErrTaken", err)
	}
	update(t, s, func(tx *Tx) error {
		if _, err := tx.User("bob"); err != ErrNotFound {
			t.Errorf("a transaction that failed left a user behind: %v", err)
		}
		// Alice lets go of the address, under a name that she has twice.
		if err := tx.PutUser(alice, []string{"alice", "alice"}); err != nil {
			return err
		}
		return tx.PutUser(someUser("bob"), []string{"bob", "alice@example.com"})
	})
	update(t, s, func(tx *Tx) error {
		if err := tx.DeleteUser("alice"); err != nil {
			return err
		}
		if _, err := tx.UserByName("alice"); err != ErrNotFound {
			t.Errorf("a deleted user was found: %v", err)
		}
		if err := tx.DeleteUser("alice"); err != ErrNotFound {
			t.Errorf("deleting a user twice: %v", err)
		}
		return nil
	})
}

func TestGroups(t *testing.T) {
	s := open(t, "")
	three := 3
	update(t, s, func(tx *Tx) error {
		return errors.Join(
			tx.PutUser(someUser("alice"), []string{"alice"}),
			tx.PutGroup(Group{Name: "Admins", Created: epoch, Modified: epoch}),
			tx.PutGroup(Group{Name: "Editors", Precedence: &three, Created: epoch, Modified: epoch}),
			tx.AddMember("Admins", "alice"), tx.AddMember("Editors", "alice"), tx.AddMember("Editors", "alice"))
	})
	names := func() (names []string) {
		update(t, s, func(tx *Tx) error {
			groups, err := tx.GroupsOf("alice")
			for _, g := range groups {
				names = append(names, g.Name)
			}
			return err
		})
		return names
	}
	if got := names(); !slices.Equal(got, []string{"Editors", "Admins"}) {
		t.Errorf("groups = %v, want those without precedence last", got)
	}
	update(t, s, func(tx *Tx) error { return tx.DeleteGroup("Editors") })
	if got := names(); !slices.Equal(got, []string{"Admins"}) {
		t.Errorf("groups = %v after one was deleted", got)
	}
}

func TestExpiring(t *testing.T) {
	s := open(t, "")
	update(t, s, func(tx *Tx) error { return tx.Put("b", "k", "v", epoch.Add(time.Minute), epoch) })
	get := func(at time.Time) error {
		var v string
		err := s.View(t.Context(), func(tx *Tx) error { return tx.Get("b", "k", &v, at) })
		if err == nil && v != "v" {
			t.Errorf("value = %q", v)
		}
		return err
	}
	if err := get(epoch.Add(time.Minute - time.Millisecond)); err != nil {
		t.Errorf("before it expires: %v", err)
	}
	if err := get(epoch.Add(time.Minute)); err != ErrNotFound {
		t.Errorf("when it expires: %v", err)
	}
	update(t, s, func(tx *Tx) error {
		var v string
		if err := tx.Take("b", "k", &v, epoch); err != nil {
			return err
		}
		if err := tx.Take("b", "k", &v, epoch); err != ErrNotFound {
			t.Errorf("taken a second time: %v", err)
		}
		return nil
	})
}

func TestSessions(t *testing.T) {
	s := open(t, "")
	want := &Session{OriginJTI: "o", Sub: "alice", ClientID: "c", EventID: "e", Scopes: []string{"openid", "email"}, AuthTime: epoch, Expires: epoch.Add(time.Hour)}
	api := &Session{OriginJTI: "api", Sub: "alice", AuthTime: epoch, Expires: epoch.Add(time.Hour)}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.AddSession(want, epoch), tx.AddSession(api, epoch), tx.AddRefreshToken([]byte("h"), "o"))
	})
	update(t, s, func(tx *Tx) error {
		for _, w := range []*Session{want, api} {
			got, err := tx.Session(w.OriginJTI)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(w, got); diff != "" {
				t.Errorf("session (-want +got):\n%s", diff)
			}
		}
		if err := tx.UseRefreshToken([]byte("h"), epoch); err != nil {
			return err
		}
		return tx.UseRefreshToken([]byte("h"), epoch.Add(time.Minute))
	})
	update(t, s, func(tx *Tx) error {
		token, err := tx.RefreshToken([]byte("h"))
		if err != nil || !token.Used.Equal(epoch) {
			t.Errorf("token used at %v, %v; want the first time", token.Used, err)
		}
		// Two days on, another sign-in clears away what has expired, with its tokens.
		later := epoch.AddDate(0, 0, 2)
		if err := tx.AddSession(&Session{OriginJTI: "new", Expires: later}, later); err != nil {
			return err
		}
		_, sessionErr := tx.Session("o")
		_, tokenErr := tx.RefreshToken([]byte("h"))
		if sessionErr != ErrNotFound || tokenErr != ErrNotFound {
			t.Errorf("what expired is still there: %v, %v", sessionErr, tokenErr)
		}
		return nil
	})
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my data?#%41")
	s := open(t, dir)
	update(t, s, func(tx *Tx) error { return tx.SetMeta("m", []byte("value")) })

	if _, err := Open(t.Context(), dir); err == nil {
		t.Error("a second store opened the same directory")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	update(t, s, func(tx *Tx) error {
		v, err := tx.Meta("m")
		if string(v) != "value" {
			t.Errorf("meta = %q", v)
		}
		return err
	})
	// A database from a later program is not touched.
	update(t, s, func(tx *Tx) error { return tx.exec("PRAGMA user_version = 99") })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); err == nil {
		t.Error("a database of a later version was opened")
	}
	info, err := os.Stat(filepath.Join(dir, "sandbox.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v; want it closed to others", info.Mode(), err)
	}
}

// TestDurable: what a file store promises rests on these settings.
func TestDurable(t *testing.T) {
	s := open(t, t.TempDir())
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "locking_mode": "exclusive", "foreign_keys": "1"} {
		update(t, s, func(tx *Tx) error {
			var got string
			err := tx.tx.QueryRow("PRAGMA " + pragma).Scan(&got)
			if got != want {
				t.Errorf("%s = %s, want %s", pragma, got, want)
			}
			return err
		})
	}
}

// A guest that an earlier program merged into another identity does not become a guest again.
func TestMigrationOfMergedIdentities(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.AddPoolIdentity("guest", epoch), tx.AddPoolIdentity("merged", epoch),
			tx.MergePoolIdentity("merged", "other", epoch),
			// back to the version before identities could be disabled
			tx.exec("ALTER TABLE pool_identities DROP COLUMN disabled"),
			tx.exec("DROP TABLE item_indexes; DROP TABLE items"),
			tx.exec("DROP TABLE upload_parts; DROP TABLE uploads; DROP TABLE objects; DROP TABLE buckets"),
			tx.exec("PRAGMA user_version = 2"))
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	update(t, s, func(tx *Tx) error {
		for id, want := range map[string]bool{"guest": false, "merged": true} {
			if i, err := tx.PoolIdentity(id); err != nil || i.Disabled != want {
				t.Errorf("%s: %+v, %v; want disabled %t", id, i, err, want)
			}
		}
		return nil
	})
}

// TestObjectKeys: keys of objects are bytes, in the order of bytes.
func TestObjectKeys(t *testing.T) {
	s := open(t, "")
	keys := []string{"", "\x00", "\x00a", "a", "a\x00", "b", "\u00fc", "\U0010ffff"}
	update(t, s, func(tx *Tx) error {
		if err := errors.Join(tx.AddBucket(Bucket{Name: "x"}), tx.AddBucket(Bucket{Name: "y"})); err != nil {
			return err
		}
		for i, k := range keys {
			if err := tx.PutObject("x", &Object{Key: k, Size: int64(i), Parts: []Part{{Blob: k}}}); err != nil {
				return err
			}
		}
		return nil
	})
	update(t, s, func(tx *Tx) error {
		list, err := tx.Objects("x", "", "", 100)
		var got []string
		for i, o := range list {
			got = append(got, o.Key)
			if o.Size != int64(i) || o.Parts != nil {
				t.Errorf("%q is %+v", o.Key, o)
			}
		}
		if diff := cmp.Diff(keys, got); diff != "" {
			t.Error(diff)
		}
		if list, _ := tx.Objects("x", "a", "b", 100); len(list) != 2 {
			t.Errorf("%d objects from a to b", len(list))
		}
		if err := tx.AddBucket(Bucket{Name: "x"}); err != ErrTaken {
			t.Errorf("a second bucket of that name: %v", err)
		}
		if o, err := tx.Object("y", "a"); err != ErrNotFound {
			t.Errorf("an object of another bucket: %+v, %v", o, err)
		}
		if blobs, _ := tx.Blobs(); len(blobs) != len(keys) {
			t.Errorf("%d blobs", len(blobs))
		}
		return err
	})
}
