// Package sessionkey spells the keys under which Amplify JS keeps a session.
//
// The keys of an app client are "<prefix>LastAuthUser" and "<prefix><user>.<key>", where the
// prefix is "CognitoIdentityServiceProvider.<client>." (see [Prefix]). The source is
// AuthTokenStorageKeys in packages/auth/src/providers/cognito/tokenProvider/types.ts of
// aws-amplify.
package sessionkey

import "strings"

// The keys of a session. All but LastAuthUser belong to one user: "<user>.<key>".
const (
	LastAuthUser      = "LastAuthUser"
	AccessToken       = "accessToken"
	IDToken           = "idToken"
	RefreshToken      = "refreshToken"
	ClockDrift        = "clockDrift"
	SignInDetails     = "signInDetails"
	DeviceKey         = "deviceKey"
	DeviceGroupKey    = "deviceGroupKey"
	RandomPasswordKey = "randomPasswordKey"
	OAuthMetadata     = "oauthMetadata"
	OIDCProvider      = "oidcProvider"
)

// ClientPrefix begins the keys of all app clients.
const ClientPrefix = "CognitoIdentityServiceProvider."

// Prefix returns the beginning of the keys of one app client. It ends with a dot.
func Prefix(clientID string) string { return ClientPrefix + clientID + "." }

// Identity returns the key of the visitor's identity in an identity pool.
func Identity(identityPoolID string) string {
	return "com.amplify.Cognito." + identityPoolID + ".identityId"
}

// Split splits name, a key without its prefix, into the user's name and the key. A user's name may
// hold dots and may end like a key, so the key is what follows the last dot. ok is false for a name
// that has no user, such as LastAuthUser.
func Split(name string) (user, key string, ok bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 {
		return "", "", false
	}
	return name[:dot], name[dot+1:], true
}

// IsSession reports whether key ends with one of the four segments that make a session:
// LastAuthUser, accessToken, idToken or refreshToken. A key with a single segment is none. It
// corresponds to isServerSideAuthAllowedCookie of adapter-nextjs.
func IsSession(key string) bool {
	switch lastSegment(key) {
	case LastAuthUser, AccessToken, IDToken, RefreshToken:
		return true
	}
	return false
}

// IsDevice reports whether name ends with one of the three segments that remember a device:
// deviceKey, deviceGroupKey or randomPasswordKey. The prefix may be there or not.
func IsDevice(name string) bool {
	switch lastSegment(name) {
	case DeviceKey, DeviceGroupKey, RandomPasswordKey:
		return true
	}
	return false
}

// lastSegment returns what follows the last dot of key, or "" if there is no dot.
func lastSegment(key string) string {
	if dot := strings.LastIndexByte(key, '.'); dot >= 0 {
		return key[dot+1:]
	}
	return ""
}
