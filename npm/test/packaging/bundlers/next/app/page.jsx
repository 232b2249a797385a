// Rendered on the server, where nothing of the SDK may be needed.
import { connect } from 'nearcast';
import Call from './call.jsx';

export default function Page() {
  return (
    <main data-server={typeof connect}>
      <Call />
    </main>
  );
}
