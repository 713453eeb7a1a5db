package token

// Why a token, or a session, is refused. The reasons of packages amplify and verify are the same
// words.
const (
	TokenTooLarge  = "token_too_large"
	MalformedToken = "malformed_token"
	BadAlgorithm   = "bad_algorithm"
	UnknownKey     = "unknown_key"
	BadSignature   = "bad_signature"
	WrongIssuer    = "wrong_issuer"
	WrongClient    = "wrong_client"
	WrongTokenUse  = "wrong_token_use"
	UserMismatch   = "user_mismatch"
)
