package cognito

import (
	"errors"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/sessionkey"
	"github.com/amplify-go/amplify/internal/token"
)

// stored is what a storage holds of the sessions of one app client.
type stored struct {
	sessionkey.Values
	maxBytes int // of a token
}

// otherUsers returns up to n names that LastAuthUser does not select and that have an access token.
func (st *stored) otherUsers(n int) (names []string) {
	for i := range st.List {
		v := &st.List[i]
		if len(names) < n && v.Key == sessionkey.AccessToken && !slices.Contains(st.Users(), v.User) && !slices.Contains(names, v.User) {
			names = append(names, v.User)
		}
	}
	return names
}

// read reads kv in one pass. It fails if the request carries more than is read.
func (st *stored) read(kv amplify.KeyValueStorage) error {
	st.maxBytes = token.MaxBytes
	kv.All(st.Prefix)(st.Add)
	if bounded, ok := kv.(amplify.BoundedStorage); ok {
		st.maxBytes = min(bounded.MaxValueBytes(), token.MaxBytes)
		if bounded.TooLarge() {
			return amplify.Unauthenticated(amplify.ReasonCookiesTooLarge, nil)
		}
	}
	return nil
}

// refreshToken returns the refresh token that belongs to the nth of the user's access tokens: the
// nth too if there are as many of both, since then they were written together, else the first. It
// is empty if that cannot be a refresh token.
func (st *stored) refreshToken(user string, nth, accessTokens int) string {
	values, n := st.All(user, sessionkey.RefreshToken)
	if n != accessTokens {
		nth = 0
	}
	if !isRefreshToken(values[nth]) {
		return ""
	}
	return values[nth]
}

// maxRefreshTokens bounds how many refresh tokens of one user are tried or revoked.
const maxRefreshTokens = 8

// refreshTokens returns the user's refresh tokens, each once: first, unless that is "", and then
// the others in the order they were sent. A neighbour on the domain can set cookies that come
// before the user's own, and then any of them may be the right one.
func (st *stored) refreshTokens(user, first string) (tokens []string) {
	if first != "" {
		tokens = append(tokens, first)
	}
	for i := range st.List {
		v := &st.List[i]
		if v.Key == sessionkey.RefreshToken && v.User == user && len(tokens) < maxRefreshTokens &&
			v.Value != "undefined" && isRefreshToken(v.Value) && !slices.Contains(tokens, v.Value) {
			tokens = append(tokens, v.Value)
		}
	}
	return tokens
}

// refreshTokenLetters are what refresh tokens are made of: the pattern of TokenModelType in the
// Amazon Cognito user pools API reference.
const refreshTokenLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=."

// isRefreshToken reports whether s can be a refresh token. What cannot is not sent anywhere. Every
// request is asked this: TrimLeft looks letters up, and a token is over a thousand random ones, at
// which branches would be mispredicted.
func isRefreshToken(s string) bool {
	return s != "" && len(s) <= token.MaxBytes && strings.TrimLeft(s, refreshTokenLetters) == ""
}

// deviceKey returns the key of the user's remembered device, or "". Like Amplify JS it takes one
// only if all three parts are there.
func (st *stored) deviceKey(user string) string {
	if st.First(user, sessionkey.DeviceGroupKey) == "" || st.First(user, sessionkey.RandomPasswordKey) == "" {
		return ""
	}
	return st.First(user, sessionkey.DeviceKey)
}

// deleteSession deletes what Amplify JS deletes when a session has ended. The device stays
// remembered.
func deleteSession(kv amplify.KeyValueStorage, prefix, user string) error {
	for _, key := range []string{
		sessionkey.AccessToken, sessionkey.IDToken, sessionkey.RefreshToken, sessionkey.ClockDrift,
		sessionkey.SignInDetails, sessionkey.OAuthMetadata,
	} {
		if err := kv.Delete(prefix + user + "." + key); err != nil {
			return err
		}
	}
	return kv.Delete(prefix + sessionkey.LastAuthUser)
}

// maxDeviceBytes bounds what is spared of remembered devices, names included.
const maxDeviceBytes = 2 << 10

// deleteOthers deletes everything under prefix that does not belong to user, whose values stay; or
// everything if user is "". Remembered devices are spared, up to [maxDeviceBytes] of them: they are
// what MFA goes by.
func deleteOthers(kv amplify.KeyValueStorage, prefix, user string) error {
	var keys []string
	devices := 0
	for key, value := range kv.All(prefix) {
		owner, _, _ := sessionkey.Split(key[len(prefix):])
		if sessionkey.IsDevice(key) {
			if devices += len(key) + len(value); devices <= maxDeviceBytes || user != "" && owner == user {
				continue
			}
		}
		if user == "" || owner != "" && owner != user {
			keys = append(keys, strings.Clone(key))
		}
	}
	return deleteKeys(kv, keys)
}

// deleteAll deletes everything under prefix.
func deleteAll(kv amplify.KeyValueStorage, prefix string) error {
	var keys []string
	for key := range kv.All(prefix) {
		keys = append(keys, strings.Clone(key))
	}
	return deleteKeys(kv, keys)
}

// maxDeleted bounds the work of one call. Browsers keep fewer cookies of a site.
const maxDeleted = 200

// deleteKeys deletes each key once, those of a session first: a response takes a bounded number of
// cookies.
func deleteKeys(kv amplify.KeyValueStorage, keys []string) error {
	slices.SortStableFunc(keys, func(a, b string) int {
		switch x, y := sessionkey.IsSession(a), sessionkey.IsSession(b); {
		case x == y:
			return strings.Compare(a, b)
		case x:
			return -1
		}
		return 1
	})
	keys = slices.Compact(keys)
	var errs []error
	for _, key := range keys[:min(len(keys), maxDeleted)] {
		if err := kv.Delete(key); err != nil {
			errs = append(errs, err)
			break
		}
	}
	return errors.Join(errs...)
}
