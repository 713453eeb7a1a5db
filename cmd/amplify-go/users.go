package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/amplify-go/amplify/sandbox"
)

// fileUser is a user in the file that --users names.
type fileUser struct {
	// Username is needed only where users do not sign in with their e-mail address.
	Username            string            `json:"username"`
	Email               string            `json:"email"`
	Password            string            `json:"password"`
	NewPasswordRequired bool              `json:"newPasswordRequired"`
	Attributes          map[string]string `json:"attributes"`
	Groups              []string          `json:"groups"`
}

// readUsers reads users from a JSON file. Errors name the file and never a value in it, which may
// be a password.
func readUsers(path string) ([]sandbox.User, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	decoder := json.NewDecoder(f)
	decoder.DisallowUnknownFields()
	var list []fileUser
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s is not a list of users: %w", path, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s goes on after the list of users", path)
	}
	var users []sandbox.User
	for i, u := range list {
		if u.Username == "" && u.Email == "" || u.Password == "" {
			return nil, fmt.Errorf("%s: user %d needs an \"email\" (or a \"username\") and a \"password\"", path, i+1)
		}
		users = append(users, sandbox.User(u))
	}
	return users, nil
}
