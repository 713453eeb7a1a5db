package userpool

import (
	"fmt"
	"strings"
	"testing"
)

func google(id string) Account { return Account{"Google", subjectAttribute, id} }

func cognitoUser(username string) Account {
	return Account{ProviderName: ownProvider, ProviderAttributeValue: username}
}

func newFederatedFixture(t *testing.T) *fixture {
	return newFixture(t, func(c *Config) { c.Clients[0].Providers = []string{"COGNITO", "Google"} })
}

// A linked account signs in as its user, whose attributes become those of the provider.
func TestLink(t *testing.T) {
	f := newFederatedFixture(t)
	ctx, ann := t.Context(), f.user("ann@example.com")
	want(t, "link", f.Link(ctx, google("Id-1"), cognitoUser(ann.Username)), "")

	in := func(id string, attributes map[string]string) *User {
		t.Helper()
		u, err := f.FederatedUser(ctx, "Google", Profile{ID: id, Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	u := in("Id-1", map[string]string{"email": "ann@example.com", "name": "Ann"})
	if u.Sub != ann.Sub || u.Status != Confirmed ||
		u.Attributes["name"] != "Ann" || u.Attributes["email_verified"] != "true" {
		t.Errorf("the linked account signs in as %+v", u)
	}
	if len(u.Identities) != 1 || u.Identities[0].UserID != "Id-1" ||
		u.Identities[0].Primary != "false" ||
		!strings.Contains(u.Attributes["identities"], `"primary":"false"`) {
		t.Errorf("identities: %+v", u.Identities)
	}
	// As in usernames, case does not matter.
	if again := in("ID-1", nil); again.Sub != ann.Sub {
		t.Error("the same id in other letters is another user")
	}
	if other := in("Id-2", map[string]string{"email": "ann@example.com"}); other.Sub == ann.Sub {
		t.Error("an account that is not linked signs in as the user, by its address")
	}
	// An address that only the provider vouches for is not verified.
	u = in("Id-1", map[string]string{"email": "ann@home.example"})
	if u.Attributes["email_verified"] != "false" {
		t.Errorf("attributes: %v", u.Attributes)
	}
	f.user("bob@example.com")
	_, err := f.FederatedUser(ctx, "Google", Profile{
		ID: "Id-1", Attributes: map[string]string{"email": "bob@example.com"}})
	want(t, "with another user's address", err, AliasExists)
	want(t, "disable", f.SetEnabled(ctx, ann.Username, false), "")
	_, err = f.FederatedUser(ctx, "Google", Profile{ID: "Id-1"})
	want(t, "disabled", err, NotAuthorized)
}

// A user whom a provider made can have further accounts. The first one stays the primary one.
func TestLinkToFederatedUser(t *testing.T) {
	f := newFederatedFixture(t)
	ctx := t.Context()
	u, err := f.FederatedUser(ctx, "Google", Profile{ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxLinks {
		want(t, "link", f.Link(ctx, google(fmt.Sprint("linked-", i)), google("1")), "")
	}
	want(t, "one too many", f.Link(ctx, google("2"), google("1")), LimitExceeded)
	got, err := f.FederatedUser(ctx, "Google", Profile{ID: "linked-3"})
	if err != nil || got.Sub != u.Sub {
		t.Fatalf("%+v, %v; want %s", got, err, u.Sub)
	}
	for i, identity := range got.Identities {
		if identity.Primary != fmt.Sprint(i == 0) {
			t.Errorf("identity %d: %+v", i, identity)
		}
	}
}

// A federated sign-in never takes over a user of the pool by the username.
func TestFederatedUsernameTaken(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.UsernameAttributes, c.RequiredAttributes = nil, nil })
	_, err := f.CreateUser(t.Context(), CreateUserInput{Username: "google_1"})
	want(t, "create", err, "")
	_, err = f.FederatedUser(t.Context(), "Google", Profile{ID: "1"})
	want(t, "federated", err, UsernameExists)
}
