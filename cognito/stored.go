package cognito

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// fallbackUser is the user name that Amplify JS takes where there is no LastAuthUser.
const fallbackUser = "username"

// fallbackUsers is the LastAuthUser of a storage without one.
var fallbackUsers = []string{fallbackUser}

const (
	// maxDuplicates bounds how many values of one key are looked at. Browsers send two where one
	// cookie belongs to the host and one to the domain.
	maxDuplicates = 3
	// maxNameBytes bounds LastAuthUser. Cognito's user names have at most 128 characters, and the
	// e-mail addresses and phone numbers that stand in for them too.
	maxNameBytes = 128 * 4
	maxNameRunes = 128
	// maxDrift bounds how much earlier a clockDrift cookie can make a session expire.
	maxDrift = time.Minute
)

// stored is what a storage holds of the sessions of one app client, in the order it was sent.
type stored struct {
	prefix   string
	maxBytes int // of a token
	values   []storedValue

	lastAuthUsers [maxDuplicates]string
	names         int // how many of lastAuthUsers there are
}

// storedValue is the value under "<user>.<key>".
type storedValue struct{ user, key, value string }

// users returns the names under which to look for a session.
func (st *stored) users() []string {
	if st.names == 0 {
		return fallbackUsers
	}
	return st.lastAuthUsers[:st.names]
}

// otherUsers returns up to n names that LastAuthUser does not select and that have an access token.
func (st *stored) otherUsers(n int) (names []string) {
	for i := range st.values {
		v := &st.values[i]
		if len(names) < n && v.key == sessionkey.AccessToken && !slices.Contains(st.users(), v.user) && !slices.Contains(names, v.user) {
			names = append(names, v.user)
		}
	}
	return names
}

// read reads kv in one pass. It fails if the request carries more than is read.
func (st *stored) read(kv amplify.KeyValueStorage) error {
	st.maxBytes = maxTokenBytes
	kv.All(st.prefix)(st.add)
	if bounded, ok := kv.(amplify.BoundedStorage); ok {
		st.maxBytes = min(bounded.MaxValueBytes(), maxTokenBytes)
		if bounded.TooLarge() {
			return amplify.Unauthenticated(amplify.ReasonCookiesTooLarge, nil)
		}
	}
	return nil
}

func (st *stored) add(key, value string) bool {
	name := key[len(st.prefix):]
	if name == sessionkey.LastAuthUser {
		if value != "" && st.names < maxDuplicates && isName(value) && !slices.Contains(st.lastAuthUsers[:st.names], value) {
			st.lastAuthUsers[st.names] = value
			st.names++
		}
		return true
	}
	if user, key, ok := sessionkey.Split(name); ok {
		st.values = append(st.values, storedValue{user, key, value})
	}
	return true
}

// isName reports whether s can be the name of a user. A longer one selects nothing.
func isName(s string) bool {
	return len(s) <= maxNameRunes || len(s) <= maxNameBytes && len([]rune(s)) <= maxNameRunes
}

// all returns the first values of a user's key. An empty value is none, and neither is the text
// "undefined", which JavaScript writes where it had nothing to write.
func (st *stored) all(user, key string) (values [maxDuplicates]string, n int) {
	for i := range st.values {
		v := &st.values[i]
		if v.key == key && v.user == user && v.value != "" && v.value != "undefined" && n < len(values) {
			values[n] = v.value
			n++
		}
	}
	return values, n
}

// first returns the first value of a user's key, or "".
func (st *stored) first(user, key string) string {
	values, _ := st.all(user, key)
	return values[0]
}

// refreshToken returns the refresh token that belongs to the nth of the user's access tokens: the
// nth too if there are as many of both, since then they were written together, else the first. It
// is empty if that cannot be a refresh token.
func (st *stored) refreshToken(user string, nth, accessTokens int) string {
	values, n := st.all(user, sessionkey.RefreshToken)
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
	for i := range st.values {
		v := &st.values[i]
		if v.key == sessionkey.RefreshToken && v.user == user && len(tokens) < maxRefreshTokens &&
			v.value != "undefined" && isRefreshToken(v.value) && !slices.Contains(tokens, v.value) {
			tokens = append(tokens, v.value)
		}
	}
	return tokens
}

// isRefreshToken reports whether s can be a refresh token: it follows the pattern of TokenModelType
// in the Amazon Cognito user pools API reference. What cannot is not sent anywhere.
func isRefreshToken(s string) bool {
	for _, b := range []byte(s) {
		if !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_' || b == '=' || b == '.') {
			return false
		}
	}
	return s != "" && len(s) <= maxTokenBytes
}

// deviceKey returns the key of the user's remembered device, or "". Like Amplify JS it takes one
// only if all three parts are there.
func (st *stored) deviceKey(user string) string {
	if st.first(user, sessionkey.DeviceGroupKey) == "" || st.first(user, sessionkey.RandomPasswordKey) == "" {
		return ""
	}
	return st.first(user, sessionkey.DeviceKey)
}

// drift returns by how much the clockDrift of a user makes the session expire earlier. The value is
// the error of the browser's clock in milliseconds, and the client's to choose: it never makes a
// session last longer.
func (st *stored) drift(user string) time.Duration {
	text := st.first(user, sessionkey.ClockDrift)
	if text == "" {
		return 0 // as usual; ParseInt would allocate an error
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms <= 0 {
		return 0
	}
	return time.Duration(min(ms, maxDrift.Milliseconds())) * time.Millisecond
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
