/** The permissions and webhook fields that each kind of channel needs (PROTOCOLS A2, A4, A9; Meta's permissions reference). */

export const pagePermissions = [
  'pages_messaging',
  'pages_manage_metadata',
  'pages_read_engagement',
  'pages_read_user_content',
  'pages_manage_engagement',
  'pages_manage_posts',
] as const

/** An Instagram account by Facebook Login. */
export const instagramPermissions = [
  'instagram_basic',
  'instagram_manage_messages',
  'instagram_manage_comments',
  'instagram_content_publish',
  'pages_manage_metadata',
] as const

export const whatsappPermissions = ['whatsapp_business_messaging', 'whatsapp_business_management'] as const

export const pageFields = [
  'messages',
  'message_echoes',
  'message_deliveries',
  'message_reads',
  'message_reactions',
  'message_edits',
  'messaging_postbacks',
  'messaging_referrals',
  'messaging_optins',
  'messaging_handovers',
  'standby',
  'messaging_policy_enforcement',
  'feed',
  'mention',
  'leadgen',
  'ratings',
] as const

/** What the page of an Instagram account is subscribed to on its behalf; comments and mentions are subscribed for the app. */
export const instagramPageFields = [
  'messages',
  'message_reactions',
  'messaging_postbacks',
  'messaging_referrals',
] as const

/** Instagram Login: all are subscribed for the account. The name of referrals differs from the page's. */
export const instagramLoginFields = [
  'messages',
  'message_reactions',
  'message_edit',
  'messaging_postbacks',
  'messaging_referral',
  'messaging_seen',
  'comments',
  'live_comments',
] as const

/** What the app's webhook must be set up for, by object, before any channel can tell anything. */
export const appFields = {
  page: pageFields,
  instagram: [...instagramLoginFields, 'mentions'],
  whatsapp_business_account: [
    'messages',
    'message_template_status_update',
    'account_update',
    'phone_number_quality_update',
  ],
} as const
export type WebhookObject = keyof typeof appFields
