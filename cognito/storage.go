package cognito

import (
	"strconv"
	"strings"
	"time"

	"github.com/amplify-go/amplify"
)

// The keys under which Amplify JS keeps a session, behind
// "CognitoIdentityServiceProvider.<client>." and, all but the first, "<user>.".
const (
	keyLastAuthUser   = "LastAuthUser"
	keyAccessToken    = "accessToken"
	keyIDToken        = "idToken"
	keyRefreshToken   = "refreshToken"
	keyClockDrift     = "clockDrift"
	keySignInDetails  = "signInDetails"
	keyOAuthMetadata  = "oauthMetadata"
	keyDeviceKey      = "deviceKey"
	keyDeviceGroupKey = "deviceGroupKey"
	keyRandomPassword = "randomPasswordKey"
)

// fallbackUser is the user name that Amplify JS takes where there is no LastAuthUser.
const fallbackUser = "username"

// fallbackUsers is the LastAuthUser of a storage without one.
var fallbackUsers = []string{fallbackUser}

// maxDuplicates bounds how many values of one key are looked at. Browsers send two where one cookie belongs to
// the host and one to the domain; more are only ever sent to make work.
const maxDuplicates = 3

// maxDrift bounds how much earlier a clockDrift cookie can make a session expire.
const maxDrift = time.Minute

// stored is what a storage holds of the sessions of one app client, in the order it was sent.
type stored struct {
	prefix string
	values []storedValue

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

// read reads kv in one pass.
func (st *stored) read(kv amplify.KeyValueStorage) { kv.All(st.prefix)(st.add) }

func (st *stored) add(key, value string) bool {
	name := key[len(st.prefix):]
	if name == keyLastAuthUser {
		if value != "" && st.names < maxDuplicates {
			st.lastAuthUsers[st.names] = value
			st.names++
		}
		return true
	}
	// A user name may hold dots, and even end like a key: the key is what follows the last one.
	if dot := strings.LastIndexByte(name, '.'); dot > 0 {
		st.values = append(st.values, storedValue{name[:dot], name[dot+1:], value})
	}
	return true
}

// all returns the values of a user's key. An empty value is none, and neither is the text "undefined", which
// JavaScript writes where it had nothing to write.
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

// refreshToken returns the refresh token that belongs to the nth of the user's access tokens: the nth too where
// there are as many of both, since then they were written together, else the first.
func (st *stored) refreshToken(user string, nth, accessTokens int) string {
	values, n := st.all(user, keyRefreshToken)
	if n != accessTokens {
		nth = 0
	}
	return values[nth]
}

// isToken reports whether s can be a refresh token: it follows the pattern of TokenModelType in the Amazon Cognito user
// pools API reference. What cannot is not sent anywhere.
func isToken(s string) bool {
	for _, b := range []byte(s) {
		if !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_' || b == '=' || b == '.') {
			return false
		}
	}
	return s != ""
}

// deviceKey returns the key of the user's remembered device, or "". Like Amplify JS it takes one only where all
// three parts are there.
func (st *stored) deviceKey(user string) string {
	if st.first(user, keyDeviceGroupKey) == "" || st.first(user, keyRandomPassword) == "" {
		return ""
	}
	return st.first(user, keyDeviceKey)
}

// drift returns by how much the clockDrift of a user makes the session expire earlier. The value is the error of the browser's
// clock in milliseconds, and the client's to choose: it never makes a session last longer.
func (st *stored) drift(user string) time.Duration {
	ms, err := strconv.ParseInt(st.first(user, keyClockDrift), 10, 64)
	if err != nil || ms <= 0 {
		return 0
	}
	return time.Duration(min(ms, maxDrift.Milliseconds())) * time.Millisecond
}

// clearSession deletes what Amplify JS deletes when a session has ended. The device stays remembered.
func clearSession(kv amplify.KeyValueStorage, prefix, user string) error {
	for _, key := range []string{keyAccessToken, keyIDToken, keyRefreshToken, keyClockDrift, keySignInDetails, keyOAuthMetadata} {
		if err := kv.Delete(prefix + user + "." + key); err != nil {
			return err
		}
	}
	return kv.Delete(prefix + keyLastAuthUser)
}
