/** Who writes in the demo, and what. */
const people = {
  ana: { id: '7100000000000001', name: 'Ana Duarte' },
  bruno: { id: '7100000000000002', name: 'Bruno Keller' },
  chloe: { id: '7100000000000003', name: 'Chloé Marchand' },
  dmitri: { id: '1800000000000001', name: 'Dmitri Novak', handle: 'dnovak' },
  ines: { id: '6100000000000001', name: 'Inês Prata', handle: 'ines.prata' },
  tomas: { id: '351910000001', name: 'Tomás Reis' },
  esra: { id: '1800000000000002', name: 'Esra Yıldız', handle: 'esray' },
} as const

/** What people write when nobody has written yet. */
export const lines = [
  {
    type: 'facebook',
    channel: '100001',
    kind: 'message',
    person: people.ana,
    text: 'Good morning! Is the 9:40 ferry to Almada still running today?',
  },
  {
    type: 'facebook',
    channel: '100001',
    kind: 'message',
    person: people.bruno,
    text: 'I left a green umbrella on the upper deck yesterday evening. Has anyone found it?',
  },
  {
    type: 'facebook',
    channel: '100001',
    kind: 'comment',
    person: people.chloe,
    text: 'Lovely picture! Do bicycles travel free at the weekend?',
  },
  {
    type: 'x',
    channel: '200001',
    kind: 'message',
    person: people.dmitri,
    text: 'Your ticket machine at pier 3 took my money twice. Who can help?',
  },
  {
    type: 'x',
    channel: '200001',
    kind: 'mention',
    person: people.esra,
    text: '@harbour when does the summer timetable begin?',
  },
  {
    type: 'facebook',
    channel: '100001',
    kind: 'message',
    person: people.ana,
    text: 'There are four of us with a pram, by the way.',
  },
] as const

/** The same beyond words: an answer to a story, a picture, a place. */
export const richLines = [
  {
    channel: '17841400000100001',
    person: people.ines,
    text: 'That light! Which evening sailing was this?',
    wire: {
      reply_to: { story: { id: '18000000000000001', url: 'https://www.instagram.com/stories/harbour.lights/' } },
    },
  },
  { channel: '17841400000100001', person: people.ines, files: [{ kind: 'image', file: 'harbour.png' }] },
  { channel: '300001', person: people.tomas, text: 'Hello, I missed the last boat. Is there a bus from here?' },
  {
    channel: '300001',
    person: people.tomas,
    wire: {
      type: 'location',
      location: {
        latitude: 38.6779,
        longitude: -9.1489,
        name: 'Cacilhas pier',
        address: 'Largo Alfredo Diniz, Almada',
      },
    },
  },
] as const
