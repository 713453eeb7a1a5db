// The bundle of a page in which the Authenticator of ui-react signs users in, as it is published.
// Signed in, they find AccountSettings. ?lang= chooses the language.
import './page.js';
import { I18n } from 'aws-amplify/utils';
import { AccountSettings, Authenticator, translations } from '@aws-amplify/ui-react';
import styles from '@aws-amplify/ui-react/styles.css';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

function Account({ signOut, user }) {
  const [done, setDone] = useState('');
  return (
    <>
      <h2>Signed in as {user.signInDetails.loginId}</h2>
      <p>{done}</p>
      <AccountSettings.ChangePassword onSuccess={() => setDone('The password is changed.')} />
      <AccountSettings.DeleteUser />
      <button onClick={signOut}>Sign out</button>
    </>
  );
}

I18n.putVocabularies(translations);
I18n.setLanguage(new URLSearchParams(location.search).get('lang') ?? 'en');
document.head.append(Object.assign(document.createElement('style'), { textContent: styles }));
createRoot(document.body.appendChild(document.createElement('div'))).render(
  <Authenticator>{({ signOut, user }) => <Account signOut={signOut} user={user} />}</Authenticator>,
);
