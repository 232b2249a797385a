// A room for Vue: what the page shows, copied from the room on each of its events. The objects of the SDK are not made reactive
// (shallowRef, markRaw): they have private fields, which a proxy cannot reach.
import { connect } from 'nearcast';
import { markRaw, onUnmounted, ref, shallowRef } from 'vue';

const shown = ['participantjoined', 'participantleft', 'publicationadded', 'publicationremoved', 'publicationmuted', 'tracksubscribed', 'trackunsubscribed', 'localpublished', 'localunpublished', 'speakerschanged', 'autoplayblocked', 'autoplayresumed', 'statechanged'];

export function useRoom() {
  const room = shallowRef();
  const status = ref('');
  const pictures = shallowRef([]);
  const silent = ref(false);

  function show() {
    const { local, participants, canPlayAudio, state } = room.value;
    pictures.value = [local, ...participants.values()].flatMap((participant) =>
      [...participant.publications.values()]
        .filter(({ kind, track }) => kind === 'video' && track)
        .map(({ id, track }) => ({ id, track: markRaw(track), name: participant.name, speaking: participant.speaking })),
    );
    silent.value = !canPlayAudio;
    status.value = state === 'connected' ? '' : `${state}…`;
  }

  async function join(edge, token) {
    status.value = 'Connecting…';
    try {
      const joined = await connect(edge, token);
      room.value = joined;
      for (const type of shown) joined.on(type, show);
      joined.on('tracksubscribed', ({ track }) => track.kind === 'audio' && track.attach());
      joined.on('closed', ({ error }) => {
        room.value = undefined;
        pictures.value = [];
        status.value = error ? `${error.code}: ${error.message}` : 'You have left.';
      });
      show();
    } catch (error) {
      status.value = `${error.code}: ${error.message}`;
    }
  }

  onUnmounted(() => room.value?.leave());
  return { room, status, pictures, silent, join };
}
