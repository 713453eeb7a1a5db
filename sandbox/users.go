package sandbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Message is a message that Cognito would have sent.
type Message struct {
	// To is an e-mail address or a phone number.
	To string
	// Kind is "sign-up", "reset-password", "verify-attribute" or "invitation".
	Kind string
	// Code is the code or, in an invitation, the temporary password.
	Code          string
	Subject, Body string
	Sent          time.Time
}

// Messages returns the messages to a user, the newest first. The username is what the user
// signs in with. Until a new address is verified, that is the one before.
func (s *Sandbox) Messages(ctx context.Context, username string) ([]Message, error) {
	u, err := s.pool.UserByName(ctx, username)
	if err != nil {
		return nil, err
	}
	sent, err := s.pool.MessagesTo(ctx, u.Sub, 100)
	var list []Message
	for _, m := range sent {
		list = append(list, Message{m.To, m.Kind, m.Code, m.Subject, m.Body, m.Sent})
	}
	return list, err
}

// LastCode returns the newest code that was sent to a user.
func (s *Sandbox) LastCode(ctx context.Context, username string) (string, error) {
	sent, err := s.Messages(ctx, username)
	if err != nil {
		return "", err
	}
	if len(sent) == 0 {
		return "", fmt.Errorf("sandbox: %q was sent nothing", username)
	}
	return sent[0].Code, nil
}

// AddUser creates a user unless the user exists.
func (s *Sandbox) AddUser(ctx context.Context, u User) error {
	if err := s.seed(ctx, u, ""); err != nil {
		return fmt.Errorf("sandbox: user %q: %w", u.name(), err)
	}
	return nil
}

// Tokens are the tokens of a session, as [Sandbox.Tokens] returns them.
type Tokens struct{ AccessToken, IDToken, RefreshToken string }

// Tokens signs a user in, without a password, and returns the tokens of the new session. They are
// those that the user pools API issues to the app client of the outputs. The username is what the
// user signs in with.
//
// It returns an error if there is no such user, if the user is disabled, if the user has to confirm
// the sign-up or to choose a new password first, and if [Config.PreToken] fails.
func (s *Sandbox) Tokens(ctx context.Context, username string) (Tokens, error) {
	u, err := s.pool.UserByName(ctx, username)
	if err != nil {
		return Tokens{}, fmt.Errorf("sandbox: user %q: %w", username, err)
	}
	switch u.Status {
	case userpool.Confirmed, userpool.ExternalProvider:
	default:
		return Tokens{}, fmt.Errorf("sandbox: user %q cannot sign in yet: the status is %s",
			username, u.Status)
	}
	client := s.pool.Config().Clients[0].ID
	t, err := s.pool.IssueTokens(ctx, userpool.Grant{ClientID: client, Sub: u.Sub})
	if err != nil {
		return Tokens{}, fmt.Errorf("sandbox: user %q: %w", username, err)
	}
	return Tokens{t.AccessToken, t.IDToken, t.RefreshToken}, nil
}

func (u User) name() string {
	if u.Username == "" {
		return u.Email
	}
	return u.Username
}

// seedSub returns a sub that follows from the user pool and the name of a user, in the form of
// Cognito's, a random UUID (RFC 9562 §5.4). It is for users who are created at every start.
func seedSub(poolID, name string) string {
	sum := sha256.Sum256([]byte(poolID + "\n" + strings.ToLower(name)))
	id := uuid.UUID(sum[:16])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}

// seed creates u unless it exists. It can be interrupted at any point
// and repeated: it completes a user who still has a temporary password.
// If sub is empty, the user gets a random one.
func (s *Sandbox) seed(ctx context.Context, u User, sub string) error {
	if u.name() == "" || u.Password == "" {
		return errors.New("a user needs a username or an e-mail address, and a password")
	}
	attributes := map[string]string{}
	maps.Copy(attributes, u.Attributes)
	if u.Email != "" {
		attributes["email"] = u.Email
	}
	_, err := s.pool.CreateUser(ctx, userpool.CreateUserInput{
		Username: u.name(), Sub: sub, TemporaryPassword: u.Password, Attributes: attributes, Silent: true})
	if err != nil && userpool.CodeOf(err) != userpool.UsernameExists {
		return err
	}
	user, err := s.pool.UserByName(ctx, u.name())
	if err != nil {
		return err
	}
	if user.Status == userpool.ForceChangePassword {
		verified := map[string]string{}
		for _, name := range []string{"email", "phone_number"} {
			if user.Attributes[name] != "" {
				verified[name+"_verified"] = "true"
			}
		}
		if err := s.pool.SetAttributes(ctx, u.name(), verified); err != nil {
			return err
		}
		if !u.NewPasswordRequired {
			if err := s.pool.SetPassword(ctx, u.name(), u.Password, true); err != nil {
				return err
			}
		}
	}
	for _, group := range u.Groups {
		if err := s.pool.EnsureGroup(ctx, userpool.Group{Name: group, RoleARN: groupRole(s.pool.Config().Region, group)}); err != nil {
			return err
		}
		if err := s.pool.AddToGroup(ctx, u.name(), group); err != nil {
			return err
		}
	}
	return nil
}
